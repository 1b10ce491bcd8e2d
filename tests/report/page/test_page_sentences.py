"""Findings in sentences: known tables, known words."""

from pathlib import Path

import numpy as np
import pandas as pd

from segue.report.page.material import Material, read
from segue.report.page.sentences import sentences

CELLS = [["lung", a, "ensemble", r] for a in ("softmax", "ssn", "diffusion") for r in (0, 1)]


def material(**tables: pd.DataFrame) -> Material:
    named = {
        name: table.assign(variant="corrected", dataset="lung", epistemic="ensemble").assign(
            cell=lambda rows: rows["aleatoric"] + " × " + rows["epistemic"]
        )
        for name, table in tables.items()
    }
    record = {"settings": {"options": {"tasks": {"ood": "border"}}}}
    return Material(Path("lung"), "lung", ["corrected"], CELLS, record, named)


def said(found: Material) -> dict[str, list[tuple[str, str]]]:
    return {each.lead: each.parts for each in sentences(found)}


def mean_ranks(n: int = 3) -> pd.DataFrame:
    rows = [
        ("softmax", 1.25, 1.0, 1.5, 2.5, 1.0, 3.0),
        ("ssn", 2.0, 1.5, 2.5, 1.5, 1.0, 2.0),
        ("diffusion", 2.75, 1.75, 3.0, 2.0, 2.25, 2.5),
    ]
    tables = []
    for start, table in ((1, "performance"), (4, "entanglement")):
        part = pd.DataFrame([(row[0], *row[start : start + 3]) for row in rows])
        part.columns = ["aleatoric", "mean_rank", "low", "high"]
        tables.append(part.assign(table=table, task="overall", n=n))
    return pd.concat(tables, ignore_index=True)


def test_the_best_cells_are_told_with_intervals_and_how_many_overlap():
    ((where, text),) = said(material(mean_ranks=mean_ranks()))["Ranks over all tasks"]
    assert where == "lung"
    assert "Of 3 cells" in text
    assert "softmax × ensemble performs best: mean rank 1.2 [1.0, 1.5], which 1 others'" in text
    assert "ssn × ensemble has the best Δ: mean rank 1.5 [1.0, 2.0], which 1 others'" in text


def test_two_replicates_have_a_range_and_one_has_none():
    ((_, text),) = said(material(mean_ranks=mean_ranks(2)))["Ranks over all tasks"]
    assert "1.2 (range 1.0 to 1.5)" in text
    alone = mean_ranks(1).assign(low=np.nan, high=np.nan)
    ((_, text),) = said(material(mean_ranks=alone))["Ranks over all tasks"]
    assert "1.2 (no interval);" in text


def test_a_task_counts_a_cell_as_sure_where_all_its_replicates_are():
    key = {"task": "ood", "split": "ood"}
    names = ("softmax", "ssn", "diffusion")
    deltas = pd.DataFrame(
        [
            {**key, "aleatoric": name, "replicate": r, "delta": delta}
            for name, delta in zip(names, (0.5, 0.1, -0.5), strict=True)
            for r in (0, 1)
        ]
    )
    limits = {
        "softmax": [(0.1, 0.9), (0.2, 0.9)],
        "ssn": [(0.1, 0.2), (-0.1, 0.2)],  # sure in one replicate only
        "diffusion": [(-0.9, -0.1), (-0.9, -0.2)],
    }
    intervals = pd.DataFrame(
        [
            {
                **key,
                "aleatoric": name,
                "metric": "delta",
                "aggregation": how,
                "low": low,
                "high": high,
            }
            for name in names
            for how, sign in (("border", 1), ("area", -1))
            for low, high in (sorted((sign * a, sign * b)) for a, b in limits[name])
        ]
    )
    found = said(material(deltas=deltas, intervals=intervals))
    ((_, text),) = found["OOD detection: does EU beat AU?"]
    assert text == "in 2 of 3 cells (surely in 1, surely not in 1)."


def test_scored_predictions_say_their_own_intervals():
    row = {"task": "ood", "split": "ood", "aleatoric": "ssn", "replicate": 0, "delta": -0.25}
    deltas = pd.DataFrame([row | {"low": -0.5, "high": 0.125}])
    found = said(material(deltas=deltas))
    assert found["OOD detection: does EU beat AU?"] == [("lung", "Δ −0.25 [−0.50, 0.12].")]


def test_tasks_are_told_by_what_the_truth_says_of_them_the_best_first():
    rows = [
        ("ood", "ood", "truth_epistemic", -0.4, -0.6, -0.1),
        ("calibration", "id", "truth_epistemic", 0.1, -0.2, 0.4),
        ("calibration", "ood", "truth_epistemic", 0.2, np.nan, np.nan),
        ("ambiguity", "id", "truth_epistemic", 0.3, 0.1, 0.5),
        ("ambiguity", "ood", "truth_epistemic", 0.7, 0.2, 0.9),
        ("ambiguity", "id", "truth_aleatoric", 0.1, -0.1, 0.2),
    ]
    columns = ["task", "split", "truth", "spearman", "low", "high"]
    table = pd.DataFrame(rows, columns=columns).assign(cells=19, aleatoric="")
    found = said(material(validity=table))["What Δ tells where the truth is known"]
    epistemic, aleatoric = (text for _, text in found)
    assert (
        "of the true AU does (Spearman's ρ)? Agreeing: none. Opposed: none. Undecided: "
        in aleatoric
    )
    assert epistemic == (
        "Which tasks' Δ ranks the 19 cells as Δ of the true EU does (Spearman's ρ)? "
        "Agreeing: Ambiguity, ood 0.70 [0.20, 0.90]; Ambiguity, id 0.30 [0.10, 0.50]. "
        "Opposed: OOD detection −0.40 [−0.60, −0.10]. "
        "Undecided: Calibration, ood 0.20 (no interval); Calibration, id 0.10 [−0.20, 0.40]."
    )


def test_conclusions_are_counted_and_those_that_hold_are_told_with_chance():
    rows = [("A.", "yes", -2.0, -3.0, -1.0), ("B.", "no", 1.0, 0.5, 2.0), ("C.", "", *[np.nan] * 3)]
    table = pd.DataFrame(rows, columns=["statement", "holds", "value", "low", "high"])
    table = table.assign(chance=0.17, holm=0.1, quantity="", aleatoric="")
    ((_, text),) = said(material(conclusions=table))["The paper's conclusions"]
    assert text.startswith("Of 2, 1 holds, 1 does not hold.")
    assert "“A.” does: −2.00 [−3.00, −1.00], below 0 in 17 % of random ranks." in text


def test_what_is_not_there_is_not_told():
    assert sentences(material()) == []


def test_a_whole_study_has_findings_with_intervals(study):
    found = said(read(study))
    assert "What Δ tells where the truth is known" not in found  # three cells are too few for it
    assert len(found) >= 5
    assert "[" in str(found["Ranks over all tasks"])
