"""What nnU-Net wrote is read with every voxel in its place, or refused."""

import pickle
import sys

import interop_files as made
import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from segue import cli, store
from segue.errors import InputError
from segue.interop.importing import import_from

SPLITS = {"val": ["v_1", "v_2", "v_3"], "id": ["t_2", "t_10"], "ood_noise": ["t_2", "t_10"]}
GIVEN = [f"{split}=pred/{split}" for split in SPLITS]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Predictions of three folds and masks of two raters, in the working directory."""
    monkeypatch.chdir(tmp_path)
    for split, names in SPLITS.items():
        made.nnunet(tmp_path / "pred" / split, names, 2.0 if split == "ood_noise" else 0.5)
        made.raters(tmp_path / "masks", names)
    return tmp_path


def read(out="mine.zarr", source="nnunet", **options):
    chosen = {"split": GIVEN, "labels": ["masks"], "slices": "z"} | options
    return import_from(source, made.Path(out), **chosen)


def test_every_voxel_is_in_its_place(files):
    said = "\n".join(read())
    for split, names in SPLITS.items():
        found = store.open_split(made.Path("mine.zarr"), split)
        noise = 2.0 if split == "ood_noise" else 0.5
        assert found["name"].values.tolist() == [f"{n}_z{z:03}" for n in names for z in range(5)]
        assert found["patient"].values.tolist() == [n for n in names for _ in range(5)]
        for i, (name, z) in enumerate((n, z) for n in names for z in range(5)):
            for rater, each in enumerate(made.RATERS):
                np.testing.assert_array_equal(found["labels"][i, rater], made.masks(name, each)[z])
            for fold, each in enumerate(made.MEMBERS):
                expected = made.probs(name, each, noise)[:, z].astype(np.float16)
                np.testing.assert_array_equal(found["probs"][i, fold, 0], expected)
    assert "WARNING" not in said
    assert "id: 10 images, the slices along z of 2 volumes; 3 hypotheses (fold_0, fold_1, fold_2), "
    assert "1 draw of each; 3 classes; 2 raters (anna, ben); 12 x 9 pixels (y, x)" in said
    assert "ood_noise: 2 of 2 names are in id too (t_2, t_10): taken for shifted copies" in said
    assert "were checked by the segmentations beside them" in said


@pytest.mark.parametrize(("axis", "place"), [("y", 1), ("x", 2)])
def test_slices_along_another_axis_are_those_of_the_masks(axis, place, files):
    read(slices=axis)
    found = store.open_split(made.Path("mine.zarr"), "id")
    count = made.SIZE[place]
    for i in range(2 * count):
        name = SPLITS["id"][i // count]
        labels = made.masks(name, "ben").take(i % count, place)
        probs = made.probs(name, "fold_1").take(i % count, place + 1)
        np.testing.assert_array_equal(found["labels"][i, 1], labels)
        np.testing.assert_array_equal(found["probs"][i, 1, 0], probs.astype(np.float16))


def test_three_commands_lead_from_files_to_delta(files, capsys):
    given = ["--split", *GIVEN, "--labels", "masks", "--slices", "z", "--out", "mine.zarr"]
    assert cli.main(["import", "nnunet", *given]) == 0
    assert "Written to mine.zarr. Next: segue check mine.zarr" in capsys.readouterr().out
    assert cli.main(["check", "mine.zarr"]) == 0
    assert cli.main(["score", "mine.zarr", "--out", "scores", "--epistemic", "ensemble"]) == 0
    deltas = pd.read_csv("scores/deltas.csv")
    assert set(deltas["task"]) == {"ood", "ambiguity", "calibration"}
    assert np.isfinite(deltas["delta"]).all()


class Opened:
    """Leaves a trace where it is unpickled."""

    def __reduce__(self):
        return open, ("opened", "w")


def test_pickles_are_never_opened(files):
    for path in files.glob("pred/*/*/*.pkl"):
        path.write_bytes(pickle.dumps(Opened()))
    read()
    assert not made.Path("opened").exists()
    pickle.loads(pickle.dumps(Opened())).close()
    assert made.Path("opened").exists()


def reorient(files):
    """As NibabelIOWithReorient: the array is of the image turned to RAS, the file is not."""
    for path in files.glob("pred/*/*/*.npz"):
        found = np.load(path)["probabilities"]
        np.savez_compressed(path, probabilities=found[:, :, ::-1, ::-1])


def transpose(files):
    """Axes as nibabel has them, (class, x, y, z)."""
    for path in files.glob("pred/*/*/*.npz"):
        np.savez_compressed(
            path, probabilities=np.load(path)["probabilities"].transpose(0, 3, 2, 1)
        )


def mix(files):
    """The segmentations of another fold."""
    for path in files.glob("pred/id/fold_0/*.nii.gz"):
        path.write_bytes((files / "pred/id/fold_1" / path.name).read_bytes())


def regions(files):
    """As of a training with regions: sigmoids of a class or more each."""
    for path in files.glob("pred/*/*/*.npz"):
        found = np.load(path)["probabilities"]
        np.savez_compressed(path, probabilities=np.stack([found[1] + found[2], found[2]]))
    for path in files.glob("pred/*/*/dataset.json"):
        path.write_text('{"labels": {"whole": [1, 2], "core": 2}, "regions_class_order": [1, 2]}')


def lose(files):
    (files / "pred/id/fold_1/t_10.npz").unlink()


def unread(files):
    (files / "masks/anna/t_10.nii.gz").unlink()
    (files / "masks/ben/t_10.nii.gz").unlink()


def elsewhere(files):
    moved = made.AFFINE + np.eye(4)[:, [3, 0, 1, 2]]
    path = files / "masks/ben/t_2.nii.gz"
    values = np.asarray(nibabel.load(path).dataobj)
    nibabel.save(nibabel.Nifti1Image(values, moved), path)


def thinner(files):
    path = files / "masks/ben/t_2.nii.gz"
    nibabel.save(
        nibabel.Nifti1Image(np.asarray(nibabel.load(path).dataobj)[..., :4], made.AFFINE), path
    )


def damaged(files):
    path = files / "pred/id/fold_2/t_10.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def cut_short(files):
    path = files / "pred/id/fold_2/t_10.npz"
    path.write_bytes(path.read_bytes()[:-40])


def both(files):
    (files / "pred/id/t_2.npz").write_bytes((files / "pred/id/fold_0/t_2.npz").read_bytes())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            reorient,
            r"fold_0/v_1.npz: image 0: the most probable classes are not those of v_1.nii.gz",
        ),
        (transpose, r"fold_0/v_1.npz: 5 along x, by the axes czyx of the shape .*, but v_1.nii.gz"),
        (mix, r"pred/id/fold_0/t_2.npz: image \d: the most probable classes are not those of"),
        (regions, "pred/val/fold_0/dataset.json: the labels are regions, which overlap"),
        (lose, "no file of member fold_1 of the image 't_10'"),
        (unread, "no mask of 't_10', whose predictions are in pred/id/fold_0/t_10.npz"),
        (elsewhere, "masks/ben/t_2.nii.gz: its affine is not that of the predictions"),
        (thinner, r"masks/ben/t_2.nii.gz: expected the sizes \(5, 12, 9\) .* found \(4, 12, 9\)"),
        (damaged, r"pred/id/fold_2/t_10.npz: cannot be read|t_10.npz: not a readable npz file"),
        (cut_short, "pred/id/fold_2/t_10.npz: not a readable npz file"),
        (both, r"pred/id: holds files of pred/id/{member}/{image}.npz and of pred/id/{image}.npz"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_file_and_nothing_is_left(change, message, files):
    change(files)
    before = sorted(files.iterdir())
    with pytest.raises(InputError, match=message):
        read()
    assert sorted(files.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slices": None}, r"a volume of x 9 x y 12 x z 5; say .* such as --slices z"),
        ({"split": ["test=pred/id"]}, r"--split: expected val=..., id=... .* found 'test=pred/id'"),
        ({"split": ["pred/id"]}, "--split: expected val=..., id=... .* found 'pred/id'"),
        ({"split": ["id=pred/id", "id=pred/val"]}, "each once, found 'id=pred/val'"),
        ({"split": ["id=pred/none"]}, "pred/none: no such folder; expected one, or a pattern of"),
        (
            {"split": ["id=masks"]},
            r"masks: no file that ends in .npz, neither in it nor in a folder",
        ),
        ({"labels": ["id=masks"]}, "--labels: expected val, id, ood_noise, or one folder for all"),
        ({"values": {"0": 0, "1": 1, "2": 7}}, "values.2: classes are 0 to 2"),
        ({"size": [11, 9]}, r"images of \(12, 9\) .* do not fit into --size; say --size 12 9"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message, files):
    with pytest.raises(InputError, match=message):
        read(**options)


def test_probabilities_without_a_segmentation_are_said_to_be_unchecked(files):
    (files / "pred/id/fold_1/t_2.nii.gz").unlink()
    assert "WARNING: 1 files, such as pred/id/fold_1/t_2.npz, have no segm" in "\n".join(read())
    reorient(files)
    for path in files.glob("pred/*/*/*.nii.gz"):
        path.unlink()
    said = "\n".join(read("other.zarr"))
    assert "WARNING: predictions fit the masks" in said
    assert "turned by 180 degrees: are axes" in said


def test_one_prediction_is_one_hypothesis_and_a_rater_may_have_missed_an_image(files):
    (files / "masks/anna/t_2.nii.gz").unlink()
    said = "\n".join(read(split=["id=pred/id/fold_1"]))
    found = store.open_split(made.Path("mine.zarr"), "id")
    assert found["probs"].shape == (10, 1, 1, 3, 12, 9)
    assert (found["labels"][:5, 0] == 255).all()
    assert (found["labels"][5:, 0] != 255).all()
    assert "masks of 3 images without predictions are left out (v_1, v_2, v_3)" in said


def test_a_split_can_have_masks_of_its_own(files):
    made.raters(files / "others", ["t_2", "t_10"])
    for path in files.glob("others/*/*.nii.gz"):
        values = np.asarray(nibabel.load(path).dataobj)
        nibabel.save(nibabel.Nifti1Image(np.minimum(values + 1, 2), made.AFFINE), path)
    read(labels=["val=masks", "id=masks", "ood_noise=others"])
    for split, more in (("id", 0), ("ood_noise", 1)):
        found = store.open_split(made.Path("mine.zarr"), split)["labels"][0, 0]
        np.testing.assert_array_equal(found, np.minimum(made.masks("t_2", "anna")[0] + more, 2))


def test_validation_images_that_are_test_images_are_told(files):
    said = read(split=["val=pred/id", "id=pred/id"])
    assert any("WARNING: val: 2 of 2 names are in id too" in line for line in said)


def test_an_ignored_value_is_no_label(files):
    path = files / "masks/anna/t_2.nii.gz"
    values = np.asarray(nibabel.load(path).dataobj).copy()
    values[8, 0, 0] = 3
    nibabel.save(nibabel.Nifti1Image(values, made.AFFINE), path)
    with pytest.raises(InputError, match=r"t_2.nii.gz: pixel value 3; .*say ignore: 3"):
        read()
    read(ignore=3)
    assert store.open_split(made.Path("mine.zarr"), "id")["labels"][0, 0, 0, 8] == 255


def test_2d_pictures_are_as_they_were_predicted(files):
    """NaturalImage2DIO: arrays (class, 1, y, x), segmentations and masks as PNG."""
    for name in SPLITS["id"]:
        for rater in made.RATERS:
            path = files / "flat" / rater / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(made.masks(name, rater)[1]).save(path)
        for member in made.MEMBERS:
            folder = files / "flat_pred" / member
            folder.mkdir(parents=True, exist_ok=True)
            found = made.probs(name, member)[:, 1:2]
            np.savez_compressed(folder / f"{name}.npz", probabilities=found)
            Image.fromarray(found[:, 0].argmax(axis=0).astype(np.uint8)).save(
                folder / f"{name}.png"
            )
    said = "\n".join(read(split=["id=flat_pred"], labels=["flat"], slices=None))
    found = store.open_split(made.Path("mine.zarr"), "id")
    assert found["name"].values.tolist() == SPLITS["id"]
    assert "patient" not in found
    for i, name in enumerate(SPLITS["id"]):
        expected = made.probs(name, "fold_2")[:, 1].astype(np.float16)
        np.testing.assert_array_equal(found["probs"][i, 2, 0], expected)
        np.testing.assert_array_equal(found["labels"][i, 0], made.masks(name, "anna")[1])
    assert "checked by the segmentations" in said
    Image.fromarray(np.zeros((12, 9), np.uint8)).save("flat_pred/fold_1/t_10.png")
    with pytest.raises(InputError, match=r"fold_1/t_10.npz: image 0: the most probable classes"):
        read("other.zarr", split=["id=flat_pred"], labels=["flat"], slices=None)


def test_volumes_of_several_sizes_get_a_margin_without_labels(files):
    """A case of fewer rows and columns, in NIfTI files of its own."""
    for member in made.MEMBERS:
        found = made.probs("v_2", member)[:, :, :9, :8]
        folder = files / "pred/val" / member
        np.savez_compressed(folder / "v_2.npz", probabilities=found)
        made.save_nifti(folder / "v_2.nii.gz", found.argmax(axis=0).astype(np.uint8))
    for rater in made.RATERS:
        made.save_nifti(files / "masks" / rater / "v_2.nii.gz", made.masks("v_2", rater)[:, :9, :8])
    with pytest.raises(InputError, match=r"v_2.npz: images of \(9, 8\) .* say --size 12 9"):
        read()
    read(size=[12, 10])
    found = store.open_split(made.Path("mine.zarr"), "val").isel(image=6)  # v_2, z 1
    inner = (slice(1, 10), slice(1, 9))
    np.testing.assert_array_equal(found["labels"][1][inner], made.masks("v_2", "ben")[1, :9, :8])
    expected = made.probs("v_2", "fold_0")[:, 1, :9, :8].astype(np.float16)
    np.testing.assert_array_equal(found["probs"][0, 0, :, *inner], expected)
    outside = np.ones((12, 10), bool)
    outside[inner] = False
    assert (found["labels"].values[:, outside] == 255).all()
    assert (found["probs"].values[:, :, 0, outside] == 1).all()
    assert (found["probs"].values[:, :, 1:, outside] == 0).all()


def test_the_command_ends_with_one_line_where_nibabel_is_missing(files, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "nibabel", None)
    given = ["--split", *GIVEN, "--labels", "masks", "--slices", "z", "--out", "mine.zarr"]
    assert cli.main(["import", "nnunet", *given]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "needs nibabel: pip install 'segue[data]'" in said
