"""Arrays of every kind of file are what was saved; nothing hostile in a file is run or unpacked."""

import io
import os
import pickle
import zipfile

import nibabel
import numpy as np
import pytest
import torch

from segue.errors import InputError
from segue.interop.arrays import stored

VALUES = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
PART = (slice(None), 2, slice(1, 3), slice(None))


def nifti(path, kind=np.float32):
    image = nibabel.Nifti1Image(VALUES, np.diag([1.0, 2, 3, 1]))
    image.set_data_dtype(kind)
    nibabel.save(image, path)


WRITERS = {
    "a.npy": lambda path: np.save(path, VALUES),
    "fortran.npy": lambda path: np.save(path, np.asfortranarray(VALUES)),
    "big.npy": lambda path: np.save(path, VALUES.astype(">f4")),
    "a.npz": lambda path: np.savez_compressed(path, VALUES),
    "named.npz": lambda path: np.savez(path, probabilities=VALUES, more=[1]),
    "a.pt": lambda path: torch.save(torch.from_numpy(VALUES), path),
    "named.pth": lambda path: torch.save({"probs": torch.from_numpy(VALUES), "epoch": 3}, path),
    "a.nii": nifti,
    "a.nii.gz": nifti,
}


@pytest.mark.parametrize("name", WRITERS)
def test_part_of_an_array_is_that_part(name, tmp_path):
    WRITERS[name](tmp_path / name)
    found = stored(tmp_path / name)
    assert found.shape == VALUES.shape
    np.testing.assert_array_equal(found.read(PART), VALUES[PART])
    np.testing.assert_array_equal(found.read((1, slice(None), 0, 0)), VALUES[1, :, 0, 0])


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_scaled_values_are_as_nibabel_scales_them(name, tmp_path):
    nifti(tmp_path / name, np.int16)
    found = stored(tmp_path / name)
    expected = nibabel.load(tmp_path / name).get_fdata()
    np.testing.assert_allclose(found.read((slice(None),) * 4), expected, rtol=1e-6)
    assert abs(expected - VALUES).max() > 1e-7  # they were scaled
    np.testing.assert_array_equal(found.affine, np.diag([1, 2, 3, 1]))


def test_bfloat16_is_read(tmp_path):
    torch.save(torch.from_numpy(VALUES).bfloat16(), tmp_path / "a.pt")
    np.testing.assert_allclose(stored(tmp_path / "a.pt").read(PART), VALUES[PART], rtol=0.01)


class Opened:
    """Leaves a trace where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("opened",)


def packed(path, header_shape, content):
    """An npz file whose array says to have a shape."""
    head = io.BytesIO()
    about = {"descr": "<f4", "fortran_order": False, "shape": header_shape}
    np.lib.format.write_array_header_1_0(head, about)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", head.getvalue() + content)


HOSTILE = {
    "a.npy": (
        lambda path: np.save(path, np.array([Opened()], object)),
        "expected numbers, found object",
    ),
    "a.npz": (
        lambda path: np.savez(path, np.array([Opened()], object)),
        "expected numbers, found object",
    ),
    "a.pt": (lambda path: torch.save(Opened(), path), "not a file of tensors alone"),
    "old.pt": (
        lambda path: path.write_bytes(pickle.dumps(Opened())),
        "not a file of tensors alone",
    ),
    "short.npz": (lambda path: packed(path, (4, 10**6, 10**6), b"\0" * 99), "ends after 99 of"),
    "many.npz": (lambda path: np.savez(path, a=[1.0], b=[2.0]), "one array, .* found a, b; save"),
    "none.npz": (lambda path: np.savez(path), "one array, .* found none"),
    "text.npy": (lambda path: path.write_text("probabilities"), "not a readable npy file"),
    "text.nii.gz": (lambda path: path.write_text("probabilities"), "not a readable NIfTI file"),
    "a.txt": (lambda path: path.write_text("1"), "expected a file that ends in one of .npy"),
    "gone.npy": (lambda path: None, "no such file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_safely_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write, message = HOSTILE[name]
    write(tmp_path / name)
    with pytest.raises(InputError, match=message) as caught:
        stored(tmp_path / name).read((0,))
    assert str(tmp_path / name) in str(caught.value)
    assert "weights_only=False" not in str(caught.value)
    assert not (tmp_path / "opened").exists()


def test_no_more_is_unpacked_than_the_header_says(tmp_path, monkeypatch):
    packed(tmp_path / "a.npz", (2, 3), np.arange(6, dtype="<f4").tobytes() + bytes(2**24))
    written = []

    class Counting(io.FileIO):
        def write(self, data):
            written.append(len(data))
            return super().write(data)

    def temporary():
        return Counting(os.open(tmp_path, os.O_TMPFILE | os.O_RDWR), "r+")

    monkeypatch.setattr("tempfile.TemporaryFile", temporary)
    assert stored(tmp_path / "a.npz").read((1, slice(None))).tolist() == [3, 4, 5]
    assert sum(written) == 24
