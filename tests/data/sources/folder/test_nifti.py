"""NIfTI files: slices, and volumes along an axis."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from own_images import opened

from segue.errors import InputError

nibabel = pytest.importorskip("nibabel")

SHAPE = (6, 8, 5)  # x, y, z
AFFINE = np.diag([-0.7, -0.7, 3.0, 1.0])
ROWS = ["train", "train", "val", "id", "ood_site"]


def _volume(number):
    return np.random.default_rng(number).integers(-1000, 1000, SHAPE).astype(np.int16)


def _mask(number, rater):
    return (_volume(number) > 300 + 200 * rater).astype(np.uint8)


def _save(path, values, affine=AFFINE):
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def _write(root, change=lambda values: values, suffix=".nii.gz", affine=AFFINE):
    lines = ["image,split,rater_1,rater_2"]
    for number, split in enumerate(ROWS):
        names = [f"{number}{suffix}", *(f"{number}_{r}{suffix}" for r in "ab")]
        values = [_volume(number), _mask(number, 0), _mask(number, 1)]
        for name, array in zip(names, values, strict=True):
            _save(root / name, change(array), affine)
        lines.append(",".join([names[0], split, *names[1:]]))
    (root / "index.csv").write_text("\n".join(lines))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_volume_is_cut_along_an_axis(tmp_path, suffix, axis):
    _write(tmp_path, suffix=suffix)
    source = opened(tmp_path, axis=axis)
    assert {split: len(items) for split, items in source.splits.items()} == {
        "train": 2 * SHAPE[axis],
        "val": SHAPE[axis],
        "id": SHAPE[axis],
        "ood_site": SHAPE[axis],
    }
    assert source.shape == tuple(np.delete(SHAPE, axis)[::-1])
    for index, item in enumerate(source.splits["id"]):
        sample = source.read(item)
        assert_array_equal(sample.image[0], _volume(3).take(index, axis).T)
        assert_array_equal(sample.labels[1], _mask(3, 1).take(index, axis).T)
        expected = {"name": f"3{suffix}", "patient": f"3{suffix}", "slice": index}
        assert sample.coordinates == expected


@pytest.mark.parametrize(
    "change",
    [lambda v: v[:, :, 0], lambda v: v[:, :, :1], lambda v: v[:, :, 0, None, None]],
)
def test_a_slice_needs_no_axis(tmp_path, change):
    _write(tmp_path, change)
    source = opened(tmp_path)
    assert_array_equal(source.read(source.splits["id"][0]).image[0], _volume(3)[:, :, 0].T)


def test_scaled_values_are_in_their_units(tmp_path):
    _write(tmp_path, lambda v: v[:, :, 0])
    image = nibabel.Nifti1Image(_volume(3)[:, :, 0], AFFINE)
    image.header.set_slope_inter(0.5, 100)
    nibabel.save(image, tmp_path / "3.nii.gz")
    values = opened(tmp_path)
    read = values.read(values.splits["id"][0]).image[0]
    assert_array_equal(read, nibabel.load(tmp_path / "3.nii.gz").get_fdata().T)


def test_slices_of_one_volume_stay_in_one_split(tmp_path):
    _write(tmp_path)
    text = (tmp_path / "index.csv").read_text()
    for split in ("split", *ROWS):
        text = text.replace(f",{split},", ",", 1)
    (tmp_path / "index.csv").write_text(text)
    source = opened(tmp_path, axis=2, corruptions=True)
    names = [{item.row.name for item in items} for items in source.splits.values()]
    assert sum(map(len, names)) == len(set.union(*names)) == len(ROWS)


def test_empty_slices_of_two_volumes_are_no_leak(tmp_path):
    _write(tmp_path)
    for number in (0, 3):
        values = _volume(number)
        values[:, :, 0] = -1000
        _save(tmp_path / f"{number}.nii.gz", values)
    opened(tmp_path, axis=2)
    values[:, :, 1] = _volume(0)[:, :, 1]
    _save(tmp_path / "3.nii.gz", values)
    with pytest.raises(InputError, match=r"line 5, slice 1 \(id\): the same picture as .*line 2"):
        opened(tmp_path, axis=2)


def test_what_does_not_lie_on_its_image_is_refused(tmp_path):
    _write(tmp_path)
    with pytest.raises(InputError, match=r"a volume of 6 x 8 x 5; say along which .* axis: 0, 1"):
        opened(tmp_path)
    flipped = np.diag([0.7, -0.7, 3.0, 1.0])
    _save(tmp_path / "2_b.nii.gz", _mask(2, 1), flipped)
    with pytest.raises(InputError, match=r"line 4.*2_b\.nii\.gz and its image.*different affines"):
        opened(tmp_path, axis=2)
    _save(tmp_path / "2_b.nii.gz", _mask(2, 1)[:, :, :4])
    with pytest.raises(InputError, match=r"has the sizes \(6, 8, 4\), its image"):
        opened(tmp_path, axis=2)
    _save(tmp_path / "2.nii.gz", np.stack([_volume(2)] * 2, -1))
    with pytest.raises(InputError, match=r"line 4: .*4 axes of the sizes \(6, 8, 5, 2\)"):
        opened(tmp_path, axis=2)
    (tmp_path / "2.nii.gz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"line 4: .*not a readable NIfTI file"):
        opened(tmp_path, axis=2)


def test_a_picture_and_a_nifti_file_do_not_mix(tmp_path):
    from PIL import Image

    _write(tmp_path, lambda v: v[:, :, 0])
    Image.fromarray(_mask(1, 0)[:, :, 0].T.copy()).save(tmp_path / "1_a.png")
    text = (tmp_path / "index.csv").read_text().replace("1_a.nii.gz", "1_a.png")
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(InputError, match=r"1\.nii\.gz is NIfTI and its mask 1_a\.png is not"):
        opened(tmp_path)
