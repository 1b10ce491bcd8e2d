"""Files of NumPy, PyTorch and NIfTI in many layouts come out as the same store."""

import interop_files as made
import numpy as np
import pytest
import torch
from PIL import Image

from segue import cli, store
from segue.errors import InputError
from segue.interop.importing import import_from

NAMES = ["p_2", "p_10"]
MEMBERS = ["m1", "m2"]
Z = 1


def plane(name, member):
    """Probabilities (class, y, x)."""
    return made.probs(name, member)[:, Z]


def masks(folder):
    for name in NAMES:
        for rater in made.RATERS:
            path = folder / rater / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(made.masks(name, rater)[Z]).save(path)


def npy(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)


def a_file_a_member(folder):
    for name in NAMES:
        for member in MEMBERS:
            npy(folder / "pred" / member / f"{name}.npy", plane(name, member))
    return {"split": ["id=pred"]}


def compressed(folder):
    for name in NAMES:
        for member in MEMBERS:
            path = folder / "pred" / f"{name}-{member}.npz"
            path.parent.mkdir(exist_ok=True)
            np.savez_compressed(path, probs=plane(name, member), other=[1])
    return {"split": ["id=pred/{image}-{member}.npz"]}


def all_members_in_a_file(folder):
    for name in NAMES:
        values = np.stack([plane(name, member) for member in MEMBERS])
        npy(folder / "pred" / f"{name}.npy", values[:, None])
    return {"split": ["id=pred"], "axes": "eacyx"}


def tensors(folder):
    for name in NAMES:
        for member in MEMBERS:
            path = folder / "pred" / member / f"{name}.pt"
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(torch.from_numpy(plane(name, member).transpose(1, 2, 0).copy()), path)
    return {"split": ["id=pred/{member}/{image}.pt"], "axes": "yxc"}


def a_file_a_class(folder):
    for name in NAMES:
        for member in MEMBERS:
            for index, values in enumerate(plane(name, member)):
                made.save_nifti(folder / "pred" / member / f"{name}_{index}.nii.gz", values)
    return {"split": ["id=pred/{member}/{image}_{class}.nii.gz"]}


def classes_as_the_fourth_axis(folder):
    for name in NAMES:
        for member in MEMBERS:
            values = plane(name, member)[:, None]  # class, z, y, x
            made.save_nifti(folder / "pred" / member / f"{name}.nii", values)
    return {"split": ["id=pred"]}


def vectors(folder):
    """As ITK writes vectors: (x, y, z, 1, class)."""
    for name in NAMES:
        for member in MEMBERS:
            values = plane(name, member)[:, None, None]
            made.save_nifti(folder / "pred" / member / f"{name}.nii.gz", values)
    return {"split": ["id=pred"]}


@pytest.mark.parametrize(
    "layout",
    [
        a_file_a_member,
        compressed,
        all_members_in_a_file,
        tensors,
        a_file_a_class,
        classes_as_the_fourth_axis,
        vectors,
    ],
)
def test_each_layout_gives_the_same_store(layout, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    masks(tmp_path / "masks")
    options = layout(tmp_path)
    said = import_from("folder", made.Path("a.zarr"), labels=["masks"], **options)
    found = store.open_split(made.Path("a.zarr"), "id")
    assert found["name"].values.tolist() == NAMES
    for i, name in enumerate(NAMES):
        for e, member in enumerate(MEMBERS):
            expected = plane(name, member).astype(np.float16)
            np.testing.assert_array_equal(found["probs"][i, e, 0], expected)
        for r, rater in enumerate(made.RATERS):
            np.testing.assert_array_equal(found["labels"][i, r], made.masks(name, rater)[Z])
    assert "id: 2 images; 2 hypotheses" in said[0]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A file a member and image, and masks, in the working directory."""
    monkeypatch.chdir(tmp_path)
    a_file_a_member(tmp_path)
    masks(tmp_path / "masks")
    return tmp_path


def read(**options):
    chosen = {"split": ["id=pred"], "labels": ["masks"]} | options
    return import_from("folder", made.Path("a.zarr"), **chosen)


def found(array="probs"):
    return store.open_split(made.Path("a.zarr"), "id")[array].values


def test_the_probability_of_the_foreground_alone_is_completed(files):
    for path in files.glob("pred/*/*.npy"):
        np.save(path, np.load(path)[1:].sum(axis=0))
    for path in files.glob("masks/*/*.png"):
        Image.fromarray((np.asarray(Image.open(path)) > 0) * np.uint8(255)).save(path)
    said = "\n".join(read())
    expected = plane("p_2", "m1")[1:].sum(axis=0)
    np.testing.assert_array_equal(found()[0, 0, 0, 1], expected.astype(np.float16))
    np.testing.assert_array_equal(found()[0, 0, 0, 0], (1 - expected).astype(np.float16))
    np.testing.assert_array_equal(found("labels")[0, 0], made.masks("p_2", "anna")[Z] > 0)
    assert "2 classes (the files have the foreground alone)" in said


def test_an_array_of_all_images_a_member_and_one_of_all_masks(files):
    """As a loop leaves them that puts its batches together."""
    for split, names in (("id", NAMES), ("ood_x", NAMES[:1])):
        for member in MEMBERS:
            values = np.stack([plane(name, member) for name in names])
            npy(files / f"{split}_{member}.npy", values)
        labels = [[made.masks(name, rater)[Z] for rater in made.RATERS] for name in names]
        npy(files / f"masks_{split}.npy", np.array(labels))
    said = read(
        split=["id=id_{member}.npy", "ood_x=ood_x_{member}.npy"],
        labels=["id=masks_id.npy", "ood_x=masks_ood_x.npy"],
        axes="icyx",
    )
    for i, name in enumerate(NAMES):
        for e, member in enumerate(MEMBERS):
            np.testing.assert_array_equal(found()[i, e, 0], plane(name, member).astype(np.float16))
        np.testing.assert_array_equal(found("labels")[i, 1], made.masks(name, "ben")[Z])
    assert "name" not in store.open_split(made.Path("a.zarr"), "id")
    assert not any("names are in id too" in line for line in said)


def test_axes_that_are_exchanged_unseen_are_told(files):
    """Square arrays (class, x, y) fit any size, but not the masks."""
    for path in files.glob("pred/*/*.npy"):
        np.save(path, np.load(path)[:, :9].transpose(0, 2, 1))
    for path in files.glob("masks/*/*.png"):
        Image.fromarray(np.asarray(Image.open(path))[:9]).save(path)
    said = "\n".join(read())
    assert "WARNING: predictions fit the masks with a soft Dice of" in said
    assert "with rows and columns exchanged: are axes" in said
    read_again = import_from(
        "folder", made.Path("b.zarr"), split=["id=pred"], labels=["masks"], axes="cxy"
    )
    assert "WARNING" not in "\n".join(read_again)


def wider(files):
    npy(files / "pred/m2/p_10.npy", plane("p_10", "m2")[:, :, :8])


def other_classes(files):
    for member in MEMBERS:
        npy(files / "pred" / member / "p_10.npy", plane("p_10", member)[:2] / 2 + 0.25)


def logits(files):
    npy(files / "pred/m2/p_10.npy", np.log(plane("p_10", "m2")) * 3)


def turned(files):
    for member in MEMBERS:
        npy(files / "pred" / member / "p_10.npy", plane("p_10", member).transpose(0, 2, 1))
        npy(files / "pred" / member / "p_2.npy", plane("p_2", member).transpose(0, 2, 1))


def as_jpeg(files):
    path = files / "masks/anna/p_2.png"
    Image.open(path).save(path.with_suffix(".jpg"))
    path.unlink()


def volumes(files):
    npy(files / "pred/m1/p_2.npy", made.probs("p_2", "m1"))


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (wider, {}, r"m2/p_10.npy: expected the axes cyx and the shape \(3, 12, 9\) as pred/m1"),
        (other_classes, {}, r"pred/m1/p_10.npy: .*expected 3 along 'class' as in the batches"),
        (logits, {}, r"p_10.npy: 'p_10', batch 2: .*eu_sample 1, .* run from .* as logits do"),
        (
            turned,
            {},
            r"masks/anna/p_2.png: .*\(9, 12\).*found \(12, 9\); the same sizes in another",
        ),
        (as_jpeg, {"labels": ["masks/{rater}/{image}.jpg"]}, "no mask of 'p_10'|a JPEG file"),
        (volumes, {}, r"p_2.npy: expected the axes yx or cyx, found the shape \(3, 5, 12, 9\)"),
        (None, {"axes": "ecyx"}, r"expected the 4 axes ecyx, found the shape \(3, 12, 9\)"),
        (
            None,
            {"axes": "eyx"},
            r"has an axis e \(eyx.* and pred/{member}/{image}.npy has {member}",
        ),
        (None, {"axes": "cyz"}, "--axes: expected letters of ieaczyx, each once"),
        (None, {"axes": "icyx", "slices": "z"}, "--slices: images are along the axis i"),
        (
            None,
            {"split": ["id=pred/{model}/{image}.npy"]},
            "expected {image}, {member}, {draw}, {c",
        ),
        (None, {"split": ["id=pred/{member}/{image}.npz"]}, "no file has such a name"),
        (
            None,
            {"slices": "z"},
            r"masks/anna/p_2.png: one picture, and 3 images in pred/m1/p_2.npy",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_its_file(change, options, message, files):
    if change:
        change(files)
    before = sorted(files.iterdir())
    with pytest.raises(InputError, match=message):
        read(**options)
    assert sorted(files.iterdir()) == before


def test_the_values_of_masks_can_be_said(files, capsys):
    for path in files.glob("masks/*/*.png"):
        Image.fromarray(np.asarray(Image.open(path)) * np.uint8(100)).save(path)
    given = ["import", "folder", "--split", "id=pred", "--labels", "masks", "--out", "a.zarr"]
    assert cli.main(given) == 1
    assert "p_2.png: pixel value 100; expected one of 0, 1, 2" in capsys.readouterr().err
    assert cli.main([*given, "--values", "0=0", "100=1", "200=2"]) == 0
    np.testing.assert_array_equal(found("labels")[0, 0], made.masks("p_2", "anna")[Z])
    with pytest.raises(SystemExit, match="2"):
        cli.main([*given, "--values", "100"])
    assert "expected VALUE=CLASS, such as 255=1, found '100'" in capsys.readouterr().err


def test_a_store_that_is_there_stays(files):
    read()
    with pytest.raises(InputError, match=r"a.zarr: exists already"):
        read()


@pytest.mark.parametrize("source", ["nnunet", "folder"])
def test_each_source_explains_itself(source, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["import", source, "--help"])
    text = capsys.readouterr().out
    assert "--labels masks --slices z --out mine.zarr" in text
    assert ("--axes" in text) == (source == "folder")
