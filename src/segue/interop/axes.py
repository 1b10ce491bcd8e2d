"""Planes of images out of arrays whose axes have letters, wherever each of them is.

``z``, ``y`` and ``x`` are the third, second and first axis of a NIfTI file, as nibabel counts them;
NumPy's arrays of volumes mostly have them the other way round, (z, y, x). ``i`` counts images,
``c`` classes, ``r`` raters, ``e`` weight hypotheses (eu_sample) and ``a`` their draws (au_sample).
"""

from typing import NamedTuple

import numpy as np

from segue.data.sources.folder import nifti
from segue.errors import InputError
from segue.interop.arrays import Stored

PLANE = "zyx"
"""Letters of space: rows and columns of an image are two of them, in this order."""

_LETTERS = "ieaczyx"
_NOTHING = "t"  # an axis of size 1, that NIfTI files with vectors have


class Volume(NamedTuple):
    """An array in a file, and what its axes are, a letter each."""

    stored: Stored
    letters: str

    def size(self, letter: str) -> int:
        """How many there are along an axis; 1 where there is no such axis."""
        at = self.letters.find(letter)
        return 1 if at < 0 else self.stored.shape[at]

    def plane(self, cut: str | None, index: int, lead: str) -> np.ndarray:
        """One image, with the axes ``lead``, those of them that the array has, then rows, columns.

        Args:
            cut: the axis along which the array is cut into images.
            index: of the image along it.
            lead: letters.
        """
        dropped = {cut: index, _NOTHING: 0}
        values = self.stored.read(tuple(dropped.get(each, slice(None)) for each in self.letters))
        kept = [each for each in self.letters if each not in dropped]
        order = [each for each in (*lead, *PLANE) if each in kept]
        return values.transpose([kept.index(each) for each in order])


def volume(stored: Stored, lead: str, cut: str | None, given: str | None = None) -> Volume:
    """An array with letters for its axes, which are told by their number if not ``given``.

    Args:
        stored: the array.
        lead: the letter that one axis more than those of space stands for, ``c`` or ``r``.
        cut: the axis along which volumes are cut into images; ``i`` for one that counts images.
        given: the letters, where the user says them.

    Raises:
        InputError: so many axes may be anything.
    """
    letters = given or _told(stored, lead, cut)
    if len(letters) != len(stored.shape):
        raise InputError(
            f"{stored.path}: expected the {len(letters)} axes {letters}, found the shape "
            f"{stored.shape}; say by --axes which letter each axis is"
        )
    return Volume(stored, letters)


def axis_of(slices: str | None, axes: str | None) -> str | None:
    """The axis along which arrays are cut into images, by the options ``slices`` and ``axes``.

    Raises:
        InputError: letters that there are not, or that do not go together.
    """
    if axes and (set(axes) - {*_LETTERS} or len(set(axes)) < len(axes) or not {*"yx"} <= {*axes}):
        raise InputError(
            f"--axes: expected letters of {_LETTERS}, each once, y and x among them, found {axes!r}"
        )
    if axes and "i" in axes and slices:
        raise InputError("--slices: images are along the axis i of --axes already; leave it out")
    return "i" if axes and "i" in axes else slices


def cut_of(of: Volume, cut: str | None) -> str | None:
    """The axis along which an array is cut into images: the given one, or one of size 1.

    Raises:
        InputError: an array has no such axis, or is a volume and nothing says how it is cut.
    """
    sizes = " x ".join(f"{letter} {of.size(letter)}" for letter in "xyz")
    if cut:
        if cut not in of.letters:
            raise InputError(
                f"{of.stored.path}: no axis {cut} in {of.letters}, along which it is to be cut "
                "into images; correct --slices or --axes"
            )
        return cut
    if len({*PLANE} & {*of.letters}) < len(PLANE):
        return None
    for letter in "xyz":  # as a user's NIfTI slices are read elsewhere
        if of.size(letter) == 1:
            return letter
    raise InputError(
        f"{of.stored.path}: a volume of {sizes}; say along which axis it is cut into images, such "
        "as --slices z for the axial slices of most files"
    )


def _told(stored: Stored, lead: str, cut: str | None) -> str:
    count = len(stored.shape)
    if nifti.is_nifti(stored.path):
        if count == 5 and stored.shape[3] == 1:
            return f"xyz{_NOTHING}{lead}"
        return f"xyz{lead}"[:count]
    if cut == "i":
        usual = ["iyx", f"i{lead}yx"]
    elif cut:
        usual = ["zyx", f"{lead}zyx"]
    else:
        usual = ["yx", f"{lead}yx"]
    for letters in usual:
        if len(letters) == count:
            return letters
    raise InputError(
        f"{stored.path}: expected the axes {' or '.join(usual)}, found the shape {stored.shape}; "
        "save it so, or say by --axes which letter each axis of the predictions is"
    )
