"""Predictions of nnU-Net, version 2: ``nnUNetv2_predict --save_probabilities``.

It writes for each case ``probabilities`` (class, z, y, x) to an npz file, in the order in which
SimpleITK has the axes, (z, y, x) of an image that nibabel has as (x, y, z); of a 2D image z has
size 1. Beside it lie the segmentation that follows from them, in the format of the images, by which
the axes are checked here, and a pickle, which is never opened. Each fold, predicted alone (``-f``)
to a folder of its own, is a member of an ensemble. See nnunetv2/inference/export_prediction.py and
nnunetv2/imageio in https://github.com/MIC-DKFZ/nnUNet.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from segue.data import pictures
from segue.data.decoding import decoding
from segue.data.sources.folder import files as mask_files
from segue.data.sources.folder import nifti
from segue.errors import InputError
from segue.interop import arrays, cases
from segue.interop.axes import Volume, volume
from segue.interop.cases import Case
from segue.interop.patterns import Files

KEYS = ("member",)
SUFFIXES = (".npz",)
AXES = "czyx"

_TIED = 1e-3  # by which a class may be less probable than another and still be the segmentation


def open_case(files: Files, name: str, *, cut: str | None, axes: str | None = None) -> Case:
    """Open the folds' probabilities of a case, and their segmentations.

    Args:
        files: those of all cases.
        name: of the case.
        cut: the axis along which volumes are cut into images.
        axes: is not asked: those of nnU-Net's arrays are always ``AXES``.

    Raises:
        InputError: a file that cannot be read, or files that do not fit together.
    """
    for path in files.images[name].values():
        _check_no_regions(path.with_name("dataset.json"))
    case = cases.open_case(files, name, axes=AXES, cut=cut)
    said = {}
    for key, path in files.images[name].items():
        if beside := _segmentation(path):
            said[key] = _said(beside, case.volumes[key])
    affines = [each.stored.affine for each in said.values() if isinstance(each, Volume)]

    def check(key: tuple[str, ...], index: int, probs: np.ndarray) -> None:
        if key in said:
            _check(said[key], case, key, index, probs)

    return replace(case, affine=affines[0] if affines else None, check=check)


def remarks(files: Sequence[Files]) -> list[str]:
    """A line on how far the axes were checked."""
    paths = [path for each in files for case in each.images.values() for path in case.values()]
    unchecked = [path for path in paths if _segmentation(path) is None]
    if not unchecked:
        return ["the axes of all probabilities were checked by the segmentations beside them"]
    return [
        f"WARNING: {len(unchecked)} files, such as {unchecked[0]}, have no segmentation beside "
        "them (.nii.gz, .nii or a picture): their axes were checked by their sizes alone"
    ]


def _check_no_regions(path: Path) -> None:
    """See that what nnU-Net says of its training, if it is there, has classes and no regions."""
    if not path.is_file():
        return
    with decoding(f"{path}: not readable as JSON"):
        labels = json.loads(path.read_bytes()).get("labels", {}).values()
    if any(isinstance(each, list) and len(each) > 1 for each in labels):
        raise InputError(
            f"{path}: the labels are regions, which overlap, so that their probabilities do not "
            "exclude each other; train with labels of one class each"
        )


def _segmentation(path: Path) -> Path | None:
    """The file of the segmentation beside a file of probabilities, where its format is known."""
    for suffix in (*nifti.SUFFIXES, *pictures.SUFFIXES):
        if (beside := path.with_suffix(suffix)).is_file():
            return beside
    return None


def _said(beside: Path, probs: Volume) -> Volume | Path:
    """A segmentation, as an array with letters, or the path of a picture."""
    if not nifti.is_nifti(beside):
        return beside
    found = volume(arrays.stored(beside), "c", None)
    for letter in "xyz":
        if found.size(letter) != probs.size(letter):
            raise InputError(
                f"{probs.stored.path}: {probs.size(letter)} along {letter}, by the axes {AXES} of "
                f"the shape {probs.stored.shape}, but {beside.name} beside it has "
                f"{found.size(letter)}; expected both as nnUNetv2_predict wrote them"
            )
    return found


def _check(
    said: Volume | Path, case: Case, key: tuple[str, ...], index: int, probs: np.ndarray
) -> None:
    """See that nowhere a class is more probable than that of the segmentation.

    Raises:
        InputError: it is somewhere.
    """
    if isinstance(said, Path):
        path, codes = said, mask_files.mask(said, said.read_bytes()).codes
    else:
        path, codes = said.stored.path, said.plane(case.cut, index, "").astype(np.int64)
    good = codes.shape == probs.shape[1:] and codes.min() >= 0 and codes.max() < len(probs)
    if good:
        chosen = np.take_along_axis(probs, codes[None], axis=0)[0]
        good = bool((probs.max(axis=0) - chosen <= _TIED).all())
    if not good:
        raise InputError(
            f"{case.volumes[key].stored.path}: image {index}: the most probable classes are not "
            f"those of {path.name} beside it. Either the axes are others than (class, z, y, x) of "
            "that file, as NibabelIOWithReorient writes them; or the segmentation was changed "
            "later; or labels are regions, which overlap and are no classes. Predict with "
            "SimpleITKIO, and keep what nnUNetv2_predict wrote"
        )
