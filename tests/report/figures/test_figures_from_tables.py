"""What holds for every figure that is drawn from the tables."""

import subprocess
import sys
from itertools import combinations

import pandas as pd
import pytest
from matplotlib import rc_context

from segue import plugins
from segue.errors import InputError
from segue.report import style
from segue.report.figures import ged_ncc, rank_scatter, scatter_grid
from segue.report.names import Names

EVERY = pytest.mark.parametrize(
    ("module", "table", "panels"),
    [
        pytest.param(scatter_grid, "deltas", 5, id="scatter_grid"),
        pytest.param(rank_scatter, "mean_ranks", 4, id="rank_scatter"),
        pytest.param(ged_ncc, "intervals", 2, id="ged_ncc"),
    ],
)
GRID = [
    (aleatoric, epistemic)
    for aleatoric in ("softmax", "ssn", "prob_unet", "diffusion")
    for epistemic in ("none", "dropout", "swag_diag", "swag", "ensemble")
    if (aleatoric, epistemic) != ("softmax", "none")
]


def _markers(ax):
    return {line.get_label(): line for line in ax.lines if "×" in line.get_label()}


def _legend(figure):
    return [text for text in figure.legends[0].get_texts() if text.get_text()]


@EVERY
def test_the_whole_grid_is_drawn_with_a_marker_a_cell(
    module, table, panels, write_tables, tmp_path
):
    figure = module.compose(write_tables(GRID, ["a", "b"]))
    assert len(figure.axes) == 2 * panels
    for ax in figure.axes:
        assert set(_markers(ax)) == {f"{aleatoric} × {epistemic}" for aleatoric, epistemic in GRID}
        looks = {(line.get_marker(), line.get_color()) for line in _markers(ax).values()}
        assert len(looks) == len(GRID)
    style.save(figure, tmp_path / "figure")
    for ending in style.FORMATS:
        assert 10_000 < (tmp_path / f"figure.{ending}").stat().st_size < 500_000


@EVERY
def test_files_are_the_same_whenever_drawn(module, table, panels, write_tables, tmp_path):
    tables = write_tables()
    module.draw(tmp_path / "first.v1", tables=tables)
    with rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        module.draw(tmp_path / "second", tables=tables)
    for ending in style.FORMATS:
        first, second = (tmp_path / f"{name}.{ending}" for name in ("first.v1", "second"))
        assert first.read_bytes() == second.read_bytes()


@EVERY
@pytest.mark.parametrize("column", ["dataset", "epistemic"])
def test_a_missing_column_is_named(module, table, panels, column, write_tables):
    folder = write_tables()
    path = folder / f"{table}.csv"
    pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    with pytest.raises(InputError, match=rf"{table}\.csv: column '{column}' expected"):
        module.compose(folder)


@EVERY
def test_a_dataset_s_caption_is_printed(module, table, panels, write_tables):
    figure = module.compose(write_tables(datasets=["lung", "eye"]), Names({"lung": "simulated CT"}))
    headings = [part.get_suptitle() for part in figure.subfigs]
    assert headings == ["eye", "lung (simulated CT)"]


@EVERY
def test_names_of_any_length_and_number_do_not_collide(module, table, panels, write_tables):
    models = [f"aleatoric_model_of_some_university_{i}" for i in range(8)]
    methods = [f"method_{i}" + "_very" * 3 * i for i in range(8)]
    pairs = list(zip(models, methods, strict=True))
    figure = module.compose(write_tables(pairs, ["d" * 40, "e"], replicates=1))
    printed = {text.get_text().replace("\n", "") for text in _legend(figure)}
    assert printed >= {*models, *methods}
    figure.draw_without_rendering()
    texts = [*_legend(figure), *(part._suptitle for part in figure.subfigs)]
    texts += [t for ax in figure.axes for t in (ax.title, ax.xaxis.label, ax.yaxis.label)]
    for one, other in combinations(texts, 2):
        overlap = one.get_window_extent().overlaps(other.get_window_extent())
        assert not overlap, (one.get_text(), other.get_text())


@EVERY
def test_one_cell_and_one_replicate_can_be_drawn(module, table, panels, write_tables):
    figure = module.compose(write_tables([("ssn", "none")], replicates=1))
    figure.draw_without_rendering()
    assert [list(_markers(ax)) for ax in figure.axes] == [["ssn × none"]] * panels


@EVERY
def test_a_dataset_without_shifted_splits_has_no_panel_for_them(
    module, table, panels, write_tables
):
    folder = write_tables(datasets=["a", "b"])
    path = folder / f"{table}.csv"
    rows = pd.read_csv(path, keep_default_na=False)
    shifted = rows["split"].str.startswith("ood") if "split" in rows else rows["task"] == "ood"
    rows[(rows["dataset"] == "a") | ~shifted].to_csv(path, index=False)
    first, second = module.compose(folder).subfigs
    assert [ax.get_visible() for ax in first.axes] == [True] * panels
    hidden = {ax.get_title() for ax in second.axes if not ax.get_visible()}
    assert hidden
    assert all("OOD" in title or "Out of" in title for title in hidden)


def test_figures_import_neither_torch_nor_pyplot():
    modules = [plugins.module("figures", name) for name in plugins.available("figures")]
    program = (
        f"import sys, importlib; [importlib.import_module(name) for name in {modules}]; "
        "sys.exit(not {'torch', 'matplotlib.pyplot'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
