"""Libraries that a page alone needs, which the light install does not bring."""

from functools import cache
from importlib import import_module
from types import ModuleType

from segue.errors import InputError


@cache
def library(name: str) -> ModuleType:
    """A module of the extra ``report``.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(f"{error}; a report needs more: pip install 'segue[report]'") from error
