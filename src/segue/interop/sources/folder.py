"""Predictions in files of NumPy, PyTorch or NIfTI, of one image, volume, member or class each."""

from collections.abc import Sequence

from segue.interop import arrays, cases
from segue.interop.patterns import Files

KEYS = cases.KEYS
SUFFIXES = arrays.SUFFIXES

open_case = cases.open_case


def remarks(files: Sequence[Files]) -> list[str]:
    """Nothing more is known of them."""
    return []
