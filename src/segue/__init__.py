"""Segue: aleatoric and epistemic uncertainty of segmentations, and how entangled they are.

``decompose`` splits predictive uncertainty, ``delta`` measures entanglement, ``score`` scores
predictions on every task, ``PredictionWriter`` writes them to a store from a loop, ``open_study``
opens the results of a study (docs/api.md). Each is imported when it is first used.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "PredictionWriter": "segue.interop.writer",
    "decompose": "segue.evaluation.decomposition",
    "delta": "segue.evaluation.entanglement",
    "open_study": "segue.results",
    "score": "segue.evaluation.api",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
