"""Predictions in files of NumPy, PyTorch or NIfTI."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from segue.errors import InputError
from segue.interop.arrays import SUFFIXES
from segue.interop.cases import KEYS, open_case
from segue.interop.importing import Split, masks_of, splits_of, write
from segue.interop.patterns import find

_LETTERS = "ieaczyx"


def read_in(
    out: Path,
    *,
    split: Sequence[str],
    labels: Sequence[str],
    slices: str | None = None,
    axes: str | None = None,
    values: dict[str, int] | None = None,
    ignore: int | None = None,
) -> list[str]:
    """Write a store of predictions in files.

    Args:
        out: path of the store.
        split: of each split its name, ``=`` and its files: a pattern with ``{image}`` and some of
            ``{member}``, ``{draw}`` and ``{class}``; or a folder of files, or of a folder a member.
        labels: the raters' masks: a pattern with ``{image}`` and ``{rater}``, or a folder of files,
            or of a folder a rater; one for all splits, or one a split, as ``split``.
        slices: the axis along which volumes are cut: ``z``, ``y`` or ``x``.
        axes: a letter for each axis of a file (``segue.interop.axes``); None: as is usual.
        values, ignore: of the masks, see ``segue.interop.importing.write``.

    Returns:
        Lines that say what was read, and as what.

    Raises:
        InputError: names the file that is missing, cannot be read or does not fit, and the remedy.
    """
    if axes and (set(axes) - {*_LETTERS} or len(set(axes)) < len(axes) or not {*"yx"} <= {*axes}):
        raise InputError(
            f"--axes: expected letters of {_LETTERS}, each once, y and x among them, found {axes!r}"
        )
    cut = "i" if axes and "i" in axes else slices
    if cut == "i" and slices:
        raise InputError("--slices: images are along the axis i already; leave it out")
    named = splits_of(split, "--split")
    masks = masks_of(labels, list(named))
    found = {}
    for name, given in named.items():
        files = find(given, KEYS, SUFFIXES)
        found[name] = Split(files, masks[name], partial(open_case, files, axes=axes, cut=cut))
    return write(out, found, sliced=slices is not None, values=values, ignore=ignore)
