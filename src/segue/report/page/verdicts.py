"""The paper's conclusions on a page: each statement with its interval, drawn and said."""

from typing import Any, NamedTuple

import pandas as pd

from segue.report.page.material import Material
from segue.report.page.sentences import with_limits


class Bar(NamedTuple):
    """Places along a bar in per cent: of 0, of the value, and of its interval."""

    zero: float
    at: float
    low: float
    width: float


def verdicts(material: Material) -> list[dict[str, Any]]:
    """A row for each dataset and statement, with what each variant says of it."""
    columns = ("dataset", "statement", "quantity", "variant", "value", "low", "high", "holds")
    table = material.table("conclusions", *columns, "chance", "holm")
    known = table[["value", "low", "high"]].dropna()
    ends = (
        (min(known.min(axis=None), 0.0), max(known.max(axis=None), 0.0)) if len(known) else (0, 0)
    )
    found = []
    for (dataset, statement), rows in table.groupby(["dataset", "statement"], sort=False):
        main = rows[rows["variant"] == material.main].iloc[0]
        found.append(
            {
                "dataset": dataset,
                "statement": statement,
                "quantity": main["quantity"],
                "value": "" if pd.isna(main["value"]) else f"{main['value']:.4g}",
                "said": "–" if pd.isna(main["value"]) else with_limits(main, "value", 2),
                "bar": _bar(main, ends),
                "chance": "" if pd.isna(main["chance"]) else f"{100 * main['chance']:.0f}",
                "p": "" if pd.isna(main["holm"]) else f"{main['holm']:.2g}",
                "holds": dict(zip(rows["variant"], rows["holds"], strict=True)),
            }
        )
    return found


def _bar(row: pd.Series, ends: tuple[float, float]) -> Bar | None:
    if pd.isna(row["low"]) or ends[0] == ends[1]:
        return None

    def place(value: float) -> float:
        return round(100 * (value - ends[0]) / (ends[1] - ends[0]), 1)

    low, high = place(row["low"]), place(row["high"])
    return Bar(place(0), place(row["value"]), low, round(high - low, 1))
