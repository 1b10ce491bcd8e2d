"""The columns that name a row, written once: what the tables of every stage are keyed by."""

CELL = ("dataset", "aleatoric", "epistemic")
"""One combination of methods on one dataset."""

METHODS = ("epistemic", "aleatoric")
"""A cell within its dataset, in the order of the printed tables: their rows, then columns."""

REPLICATE = (*CELL, "replicate")
"""One independent repetition of a cell."""

SCORE = ("variant", "task", "metric", "split", "measure", "aggregation")
"""What a score of a run measures; ``measure`` and ``aggregation`` may be empty."""

SCORE_ROW = (
    "study",
    "task",
    "metric",
    "variant",
    "dataset",
    "split",
    "aleatoric",
    "epistemic",
    "replicate",
    "measure",
    "aggregation",
    "image",
    "name",
    "score",
)
"""A file of scores; ``image`` is an index, or ``all`` where one number is of all images;
``name`` is the image's, where its dataset has names."""

LIMITS = ("value", "low", "high")
"""A number and its interval: the split's mean score, or Δ where ``metric`` is ``delta``."""

OF = ("images", "reason")
"""How many images of the split a score is of (empty for Δ); why the value is empty, if it is."""

INTERVAL_ROW = (
    "variant",
    *REPLICATE,
    "task",
    "metric",
    "split",
    "measure",
    "aggregation",
    *LIMITS,
    *OF,
)
"""A file of intervals."""

MEANS = (*REPLICATE, *SCORE, "score", *OF)
"""A table of mean scores."""
