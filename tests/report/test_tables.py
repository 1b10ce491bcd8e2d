from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn import WEIGHTS, write_draws
from scipy.stats import rankdata

from segue import dims, plugins, seeds
from segue.errors import InputError
from segue.evaluation.draws import draws_beside, read, write
from segue.evaluation.entanglement import Ranked, deltas
from segue.evaluation.intervals import Compared, weights
from segue.evaluation.score import intervals_beside
from segue.keys import CELL, INTERVAL_ROW, MEANS, REPLICATE, SCORE_ROW
from segue.report.figures import critical_difference, rank_scatter, scatter_grid
from segue.report.tables import beyond, borderless, tables

ALEATORIC = ("softmax", "ssn", "prob_unet")
EPISTEMIC = ("none", "dropout", "swag_diag", "ensemble")
TASKS = {"ood": "border", "ambiguity": "", "calibration": "pooled"}
ARGUMENTS = {"options": {"tasks": TASKS}, "not_applicable": ["softmax-none"], "seed": 0}


def _cells(replicates, datasets=("lung",)):
    return [
        [dataset, aleatoric, epistemic, replicate]
        for dataset in datasets
        for aleatoric in ALEATORIC
        for epistemic in EPISTEMIC
        if (aleatoric, epistemic) != ("softmax", "none")
        for replicate in range(replicates)
    ]


def _write(folder: Path, cell, variants=("corrected",), undefined=None, reason="a reason") -> str:
    """A score file of random values for one cell; empty where ``undefined`` says so of its row."""
    cell = tuple(cell)
    dataset, aleatoric, epistemic, replicate = cell
    random = seeds.rng(0, *map(str, cell))
    rows = []
    for name, ranking in TASKS.items():
        metric = plugins.load("tasks", name).TASK.metric
        for variant in variants:
            for split in ("ood_a", "ood_b") if name == "ood" else ("val", "id", "ood_a", "ood_b"):
                for measure in dims.MEASURES:
                    for how in {ranking, {"ood": "mean"}.get(name, ranking)}:
                        head = (
                            "quick",
                            name,
                            metric,
                            variant,
                            dataset,
                            split,
                            aleatoric,
                            epistemic,
                        )
                        rows.append((*head, replicate, measure, how, "all", "", random.random()))
    path = folder / ("-".join(map(str, cell)) + ".csv")
    table = pd.DataFrame(rows, columns=SCORE_ROW)
    if undefined:
        table.loc[table.apply(undefined, axis=1), "score"] = np.nan
    table.to_csv(path, index=False)
    write_draws(path, table.assign(reason=reason))
    of = {"images": 7, "reason": [reason if score != score else "" for score in table["score"]]}
    whole = table.assign(value=table["score"], low=0.0, high=1.0, **of)[[*INTERVAL_ROW]]
    limits = [(v, *cell, "ood", "delta", "ood", "", "border", 0, -1, 1, "", "") for v in variants]
    table = pd.concat([whole, pd.DataFrame(limits, columns=INTERVAL_ROW)])
    table.to_csv(intervals_beside(path), index=False)
    return str(path)


def _tables(folder: Path, cells, variants=("corrected",), undefined=None, **changes) -> Path:
    files = [_write(folder, cell, variants, undefined) for cell in cells]
    tables(folder / "tables", scores=files, cells=cells, **(ARGUMENTS | changes))
    return folder / "tables"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return _tables(tmp_path_factory.mktemp("study"), _cells(3, ("lung", "eye")))


def _read(folder, name):
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])


def test_ranks_are_those_computed_by_hand(written):
    """From scores.csv with nothing but loops and scipy, for Δ and performance of one replicate."""
    scores = pd.read_csv(written / "scores.csv", keep_default_na=False)
    scores = scores[(scores["dataset"] == "eye") & (scores["replicate"] == 1)]
    cells = [(a, e) for _, a, e, r in _cells(1)]

    def value(cell, task, split, measure):
        here = (scores["aleatoric"] == cell[0]) & (scores["epistemic"] == cell[1])
        here &= (scores["task"] == task) & (scores["split"] == split)
        here &= (scores["measure"] == measure) & (scores["aggregation"] == TASKS[task])
        return scores.loc[here, "score"].item()

    def both(cell, task, split):
        """Right and best wrong measure of one split."""
        tu, au, eu = (value(cell, task, split, m) for m in ("TU", "AU", "EU"))
        return {"ood": (eu, au), "ambiguity": (au, eu), "calibration": (tu, min(au, eu))}[task]

    parts = {"performance": [], "entanglement": []}
    for task, sign in (("ood", 1), ("ambiguity", 1), ("calibration", -1)):
        regions = {"id": ["id"], "ood": ["ood_a", "ood_b"]}
        regions = {"ood": regions["ood"]} if task == "ood" else regions
        of_task = {"performance": [], "entanglement": []}
        for splits in regions.values():
            means = [np.mean([both(cell, task, s) for s in splits], axis=0) for cell in cells]
            right, wrong = np.transpose(means)
            angle = sign * (np.arctan2(right, wrong) - np.pi / 4) / (np.pi / 4)
            of_task["performance"].append(rankdata(-sign * right))
            of_task["entanglement"].append(rankdata(-angle))
        for table, ranks in of_task.items():
            parts[table].append(np.mean(ranks, axis=0))
    ranks = _read(written, "ranks")
    ranks = ranks[(ranks["dataset"] == "eye") & (ranks["replicate"] == 1)]
    for table, each in parts.items():
        found = ranks[(ranks["table"] == table) & (ranks["task"] == "overall")]
        found = found.set_index(["aleatoric", "epistemic"])["rank"]
        np.testing.assert_allclose(found.loc[cells], np.mean(each, axis=0))


@pytest.mark.parametrize("table", ["performance", "entanglement"])
def test_tables_are_means_of_ranks_with_their_joint_interval(written, table):
    """Drawn again by hand: a replicate of each draw's, ranked among all cells, averaged."""
    ranks = _read(written, "ranks")
    ranks = ranks[(ranks["table"] == table) & (ranks["task"] == "overall")]
    found = _read(written, table)
    assert list(found) == [*("dataset", "epistemic", "aleatoric", "mean_rank", "low", "high", "n")]
    for row in found.itertuples():
        here = (ranks["dataset"] == row.dataset) & (ranks["aleatoric"] == row.aleatoric)
        values = ranks.loc[here & (ranks["epistemic"] == row.epistemic), "rank"]
        assert row.n == len(values) == 3
        assert row.mean_rank == pytest.approx(values.mean())
        assert 1 <= row.low < row.high <= 11
    # Cells that differ by nothing but noise have intervals about as wide as a mean of 3 ranks has.
    assert (found["high"] - found["low"]).mean() > ranks.groupby(list(CELL))["rank"].std().mean()


@pytest.mark.parametrize("table", ["performance", "entanglement"])
def test_mean_ranks_of_a_dataset_average_to_the_middle_rank(written, table):
    found = _read(written, table)
    for _, rows in found.groupby("dataset"):
        assert len(rows) == 11
        assert rows["mean_rank"].mean() == pytest.approx(6)


def test_rows_are_in_the_order_of_the_grid(written):
    found = _read(written, "performance")
    assert list(dict.fromkeys(found["dataset"])) == ["lung", "eye"]
    lung = found[found["dataset"] == "lung"]
    expected = [(e, a) for e in EPISTEMIC for a in ALEATORIC if (a, e) != ("softmax", "none")]
    assert list(zip(lung["epistemic"], lung["aleatoric"], strict=True)) == expected


@pytest.mark.parametrize("table", ["scores", "deltas", "ranks", "intervals"])
def test_tidy_rows_are_in_the_order_of_the_cells(written, table):
    keys = _read(written, table)[list(REPLICATE)]
    found = dict.fromkeys(keys.itertuples(index=False, name=None))
    assert list(found) == list(map(tuple, _cells(3, ("lung", "eye"))))


def test_one_replicate_has_no_interval(tmp_path):
    folder = _tables(tmp_path, _cells(1))
    assert _read(folder, "performance")[["low", "high"]].isna().all(axis=None)
    text = (folder / "performance.md").read_text()
    assert "[" not in text
    assert "of one replicate, which says nothing of other trainings" in text


def test_two_replicates_have_their_range(tmp_path):
    folder = _tables(tmp_path, _cells(2))
    ranks = _read(folder, "ranks")
    ranks = ranks[(ranks["table"] == "performance") & (ranks["task"] == "overall")]
    each = ranks.groupby(["epistemic", "aleatoric"])["rank"].agg(["min", "max"])
    found = _read(folder, "performance").set_index(["epistemic", "aleatoric"])
    np.testing.assert_allclose(found[["low", "high"]], each.loc[found.index])
    assert "over 2 replicates, their range in brackets" in (folder / "performance.md").read_text()


def test_cells_that_do_not_share_their_draws_are_refused(tmp_path):
    cells = _cells(1)
    files = [_write(tmp_path, cell) for cell in cells]
    path = draws_beside(Path(files[3]))
    found = read(path)
    key = dict(zip(REPLICATE, found.cell, strict=True))
    write(path, key, [], [], weights({"id": list("abd")}, 0))
    with pytest.raises(InputError, match=rf"{path.name}: its bootstrap draws are not those of"):
        tables(tmp_path / "tables", scores=files, cells=cells, **ARGUMENTS)
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize("damage", ["gone", "cut", "fewer rows", "of another cell"])
def test_a_file_of_draws_that_is_not_whole_is_refused_by_name(tmp_path, damage):
    cells = _cells(1)
    files = [_write(tmp_path, cell) for cell in cells]
    path = draws_beside(Path(files[3]))
    key = dict(zip(REPLICATE, read(path).cell, strict=True))
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    else:
        key |= {"aleatoric": "other"} if damage == "of another cell" else {}
        write(path, key, [], [], WEIGHTS)
    with pytest.raises(InputError, match=path.name):
        tables(tmp_path / "tables", scores=files, cells=cells, **ARGUMENTS)


def test_a_task_ranks_by_the_aggregation_that_the_config_names(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    by_border = _tables(tmp_path / "a", _cells(2))
    by_mean = _tables(tmp_path / "b", _cells(2), options={"tasks": TASKS | {"ood": "mean"}})
    assert not _read(by_border, "ranks").equals(_read(by_mean, "ranks"))
    every = _read(by_border, "aggregations")
    assert every.equals(_read(by_mean, "aggregations"))
    ranks = _read(by_mean, "ranks")
    ranks = ranks[(ranks["task"] == "ood") & (ranks["table"] == "performance")]
    expected = ranks.groupby(["epistemic", "aleatoric"])["rank"].mean()
    here = (every["task"] == "ood") & (every["aggregation"] == "mean")
    found = every[here & (every["table"] == "performance")]
    found = found.set_index(["epistemic", "aleatoric"])["mean_rank"]
    np.testing.assert_allclose(found, expected.loc[found.index])


def test_every_variant_has_its_tables_as_if_it_were_alone(tmp_path):
    cells = _cells(2)
    both = _tables(tmp_path, cells, variants=("corrected", "paper_code"))
    for table in ("performance", "entanglement", "scores", "deltas", "ranks", "aggregations"):
        assert (both / f"{table}-paper_code.csv").exists()
    files = [path for path in sorted(tmp_path.glob("*.csv")) if "-intervals" not in path.name]
    for path in files:
        rows = pd.read_csv(path, keep_default_na=False)
        rows[rows["variant"] == "paper_code"].to_csv(path, index=False)
    tables(tmp_path / "alone", scores=list(map(str, files)), cells=cells, **ARGUMENTS)
    for table in ("performance", "entanglement"):
        for ending in ("csv", "md", "tex"):
            alone = (tmp_path / "alone" / f"{table}.{ending}").read_bytes()
            assert alone == (both / f"{table}-paper_code.{ending}").read_bytes()


def test_the_order_of_the_files_changes_nothing(tmp_path):
    cells = _cells(2)
    files = [_write(tmp_path, cell) for cell in cells]
    for folder, order in (("a", files), ("b", files[::-1])):
        tables(tmp_path / folder, scores=order, cells=cells, **ARGUMENTS)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_missing_cell_leaves_no_table(tmp_path):
    cells = _cells(2)
    files = [_write(tmp_path, cell) for cell in cells[1:]]
    with pytest.raises(InputError, match="lung/softmax-dropout/rep0: no scores"):
        tables(tmp_path / "tables", scores=files, cells=cells, **ARGUMENTS)
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize(
    ("task", "message"), [("segmentation", "compares no measures"), ("nothing", "nothing named")]
)
def test_a_task_that_cannot_rank_is_refused(tmp_path, task, message):
    with pytest.raises(InputError, match=rf"tables.tasks.{task}: .*{message}"):
        _tables(tmp_path, _cells(1), options={"tasks": {task: ""}})


@pytest.mark.parametrize(
    ("variant", "what"),
    [("corrected", "are left out of its AUROC"), ("paper_code", "have the sum")],
)
def test_tables_say_how_many_predictions_have_no_border(variant, what):
    shares = [("lung", "id", 0.1), ("lung", "id", 0.3), ("lung", "ood_a", 0.5), ("eye", "id", 0.0)]
    means = pd.DataFrame(shares, columns=["dataset", "split", "score"])
    means = means.assign(metric="no_border", variant=variant)
    lung, eye = borderless(means, {"ood": "border"})
    assert lung.startswith(
        "Predictions without a border, mean over the cells of lung: 20 % of id, 50 % of ood_a; "
    )
    assert what in lung
    assert "0 % of id" in eye
    assert borderless(means, {"ood": "area"}) == []
    assert borderless(means.assign(score=0.0), {"ood": "border"}) == []


def test_tables_say_which_deltas_leave_their_range():
    found = pd.DataFrame(
        {"dataset": "lung", "task": ["ambiguity"] * 3 + ["ood"], "split": "id"}
    ).assign(delta=[-1.5, 1.0, 3.0, -1.0])
    assert beyond(found) == [
        "Δ of ambiguity on lung, id, leaves [-1, 1] in 2 of 3 runs: a measure's value is negative "
        "there."
    ]


def test_means_say_of_how_many_images_they_are(written):
    found = _read(written, "scores")
    assert tuple(found.columns) == MEANS
    assert set(found["images"]) == {7}
    assert found["reason"].isna().all()


def _one_cell(row):
    """One cell has no AU and EU."""
    return (row["aleatoric"], row["epistemic"], row["measure"] == "TU") == ("ssn", "none", False)


def _one_rater(row):
    return row["task"] == "ambiguity"


def test_a_cell_without_a_delta_is_left_out_and_the_tables_say_why(tmp_path):
    cells = _cells(2)
    folder = _tables(tmp_path, cells, undefined=_one_cell)
    entanglement = _read(folder, "entanglement").set_index(["aleatoric", "epistemic"])["mean_rank"]
    assert np.isnan(entanglement["ssn", "none"])
    assert entanglement.drop(("ssn", "none")).mean() == pytest.approx((10 + 1) / 2)
    every = _read(folder, "deltas")
    without = every[(every["aleatoric"] == "ssn") & (every["epistemic"] == "none")]
    assert without["delta"].isna().all()
    assert set(without["reason"]) == {"a reason"}
    assert every["delta"].notna().sum() == 10 * 2 * 5
    for ending in ("md", "tex"):
        text = (folder / f"entanglement.{ending}").read_text()
        cross, dash = ("×", "| –") if ending == "md" else (r"$\times$", "& --")
        assert f"ood, for ssn {cross} none: a reason." in text
        assert dash in text
    assert "–" not in (_tables(_folder(tmp_path), cells) / "entanglement.md").read_text()


def test_labels_are_printed_in_tables_and_their_notes_and_csv_files_keep_the_names(tmp_path):
    cells, labels = _cells(2), {"datasets": {"lung": "LIDC"}, "aleatoric": {"ssn": "Gauss"}}
    plain = _tables(tmp_path, cells, undefined=_one_cell)
    before = {path.name: path.read_bytes() for path in plain.glob("*.csv")}
    folder = _tables(tmp_path, cells, undefined=_one_cell, names=labels)
    assert {path.name: path.read_bytes() for path in folder.glob("*.csv")} == before
    for ending, cross in (("md", "×"), ("tex", r"$\times$")):
        text = (folder / f"entanglement.{ending}").read_text()
        assert f"on LIDC, ood, for Gauss {cross} none: a reason." in text
        assert "ssn" not in text
        assert "lung" not in text


def _folder(path):
    (path / "whole").mkdir()
    return path / "whole"


def test_a_task_without_a_delta_is_left_out_of_the_mean_rank(tmp_path):
    folder = _tables(tmp_path, _cells(2), undefined=_one_rater)
    ranks = _read(folder, "ranks")
    assert ranks.loc[ranks["task"] == "ambiguity", "rank"].isna().all()
    others = ranks[ranks["task"].isin(["ood", "calibration"])]
    key = [*REPLICATE, "table"]
    overall = ranks[ranks["task"] == "overall"].set_index(key)["rank"]
    np.testing.assert_allclose(others.groupby(key)["rank"].mean().loc[overall.index], overall)
    text = (folder / "entanglement.md").read_text()
    assert "No Δ of ambiguity on lung, id, for all cells: a reason." in text
    conclusions = _read(folder, "conclusions").set_index("conclusion")
    assert np.isnan(conclusions.loc["softmax_and_ssn_good_ambiguity", "value"])
    assert conclusions.loc["softmax_and_ssn_good_calibration", "value"] != 0
    friedman = _read(folder, "friedman").set_index("task")
    assert "no test" in set(friedman.loc["ambiguity", "note"]).pop()


def test_where_nothing_has_a_delta_the_tables_are_made_and_empty(tmp_path):
    cells = _cells(2, ("lung", "eye"))
    folder = _tables(tmp_path, cells, undefined=lambda row: True)
    assert _read(folder, "entanglement")["mean_rank"].isna().all()
    assert _read(folder, "performance")["mean_rank"].isna().all()
    for figure in (critical_difference, rank_scatter, scatter_grid):
        figure.draw(tmp_path / "figure", tables=folder)
    assert (tmp_path / "figure.svg").stat().st_size


def _add_health(path: Path, values) -> None:
    """Add information and diversity of draws, and that of raters, to one cell's files."""
    scores, limits = (pd.read_csv(p, keep_default_na=False) for p in (path, intervals_beside(path)))
    metrics = ("draw_information", "diversity", "diversity_raters")
    more = pd.concat([scores.iloc[:1]] * 3).assign(
        task="segmentation", metric=metrics, split="id", measure="", aggregation="", score=values
    )
    pd.concat([scores, more]).to_csv(path, index=False)
    more = more.assign(value=values, low=0.0, high=1.0, images=7, reason="")[[*INTERVAL_ROW]]
    pd.concat([limits, more]).to_csv(intervals_beside(path), index=False)


def _add_truth(path: Path, sign: int) -> None:
    """Add tasks of the truth whose Δ is that of OOD detection, or the opposite."""
    scores = pd.read_csv(path, keep_default_na=False)
    ranked = {"ood": Ranked(plugins.load("tasks", "ood").TASK, "border")}
    (value,) = sign * deltas(scores.assign(reason=""), ranked)["delta"]
    limits = pd.read_csv(intervals_beside(path), keep_default_na=False)
    found = read(draws_beside(path))
    key = dict(zip(REPLICATE, found.cell, strict=True))
    more, kept = [], []
    for row, (variant, task, how, split) in enumerate(found.rows):
        whole = [np.append(np.nan, each[row]) for each in (found.correct, found.delta)]
        kept.append(Compared(task, variant, how, split, *whole, ""))
    drawn = found.delta[found.rows["corrected", "ood", "border", "ood"]]
    for task in ("truth_aleatoric", "truth_epistemic"):
        more.append(
            ("corrected", *key.values(), task, "delta", "ood", "", "", value, -1, 1, "", "")
        )
        kept.append(
            Compared(task, "corrected", "", "ood", *[np.append(np.nan, sign * drawn)] * 2, "")
        )
    table = pd.concat([limits, pd.DataFrame(more, columns=INTERVAL_ROW)])
    table.to_csv(intervals_beside(path), index=False)
    write(draws_beside(path), key, kept, [], WEIGHTS)


def test_cells_whose_draws_have_collapsed_are_marked_in_both_tables(tmp_path):
    cells = _cells(2)
    files = [_write(tmp_path, cell, ("corrected", "paper_code")) for cell in cells]
    for file, (_, aleatoric, epistemic, replicate) in zip(files, cells, strict=True):
        dead = (aleatoric, epistemic, replicate) == ("prob_unet", "dropout", 1)
        _add_health(Path(file), [0.001 if dead else 0.2, 0.4, 0.42])
    tables(tmp_path / "tables", scores=files, cells=cells, **ARGUMENTS)
    found = _read(tmp_path / "tables", "health")
    assert len(found) == len(cells)
    assert found["ok"].value_counts().to_dict() == {"yes": len(cells) - 1, "no": 1}
    assert "1 of 22 fail" in (tmp_path / "tables" / "health.md").read_text()
    for name in ("performance", "entanglement", "performance-paper_code"):
        text = (tmp_path / "tables" / f"{name}.md").read_text()
        (line,) = (line for line in text.splitlines() if line.startswith("| dropout"))
        *others, marked = line.strip("| ").split("|")
        assert marked.endswith("†")
        assert "†" not in "".join(others)
        assert "† In at least one replicate" in text
    assert r"$\dagger$" in (tmp_path / "tables" / "performance.tex").read_text()


def test_where_truth_is_known_validity_is_the_correlation_over_cells(tmp_path):
    cells = _cells(3)
    files = [_write(tmp_path, cell) for cell in cells]
    for file in files:
        _add_truth(Path(file), -1)
    tables(tmp_path / "tables", scores=files, cells=cells, **ARGUMENTS)
    found = _read(tmp_path / "tables", "validity").set_index(["task", "truth"])
    assert set(found.index) == {
        (task, f"truth_{what}") for task in TASKS for what in ("aleatoric", "epistemic")
    }
    assert (found["split"] == "ood").all()
    assert (found["cells"] == 11).all()
    ood = found.loc["ood"]
    np.testing.assert_allclose(ood[["spearman", "low", "high"]], -1)
    assert (found.loc["ambiguity", "low"] < found.loc["ambiguity", "high"]).all()
    text = (tmp_path / "tables" / "validity.md").read_text()
    assert "Of 6 correlations with an interval under corrected, " in text


def test_without_truth_the_table_of_validity_is_empty_and_says_why(written):
    assert _read(written, "validity").empty
    assert "No dataset of this study has" in (written / "validity.md").read_text()
    assert _read(written, "health").empty


def test_mean_ranks_of_every_task_have_their_interval(written):
    found = _read(written, "mean_ranks")
    assert set(found["task"]) == {*TASKS, "overall"}
    assert (found["low"] < found["high"]).all()
    overall = found[(found["task"] == "overall") & (found["table"] == "performance")]
    columns = ["mean_rank", "low", "high"]
    np.testing.assert_allclose(overall[columns], _read(written, "performance")[columns])
