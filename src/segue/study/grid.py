"""The grid: which cells a study has, which trainings each needs, and which tables come of them."""

from typing import NamedTuple

from segue.study.config import Config

RANKINGS = ("performance", "entanglement")
"""Tables of mean ranks, one of each a variant."""

_TIDY = ("scores", "intervals", "deltas", "ranks", "mean_ranks", "aggregations")
_FINDINGS = ("conclusions", "published_comparison", "friedman", "validity", "health")


class Cell(NamedTuple):
    """One combination of methods on one dataset, in one replicate."""

    dataset: str
    aleatoric: str
    epistemic: str
    replicate: int

    def __str__(self) -> str:
        """Its path."""
        return f"{self.dataset}/{self.aleatoric}-{self.epistemic}/rep{self.replicate}"


class Run(NamedTuple):
    """One training. A replicate's members differ by nothing but what is drawn at random."""

    dataset: str
    aleatoric: str
    recipe: str
    replicate: int
    member: int

    def __str__(self) -> str:
        """Its path, without the key of what makes it."""
        *names, replicate, member = self
        return f"{'/'.join(names)}/rep{replicate}-member{member}"


def trained(config: Config) -> list[Cell]:
    """The cells whose models the study trains."""
    return [
        Cell(dataset, aleatoric, epistemic, replicate)
        for replicate in range(config.replicates)
        for dataset in config.datasets
        for aleatoric in config.aleatoric
        for epistemic in config.epistemic
        if f"{aleatoric}-{epistemic}" not in config.not_applicable
    ]


def given(config: Config) -> dict[Cell, str]:
    """The cells that are predictions of other programs, and the store of each."""
    return {
        Cell(each.dataset, each.aleatoric, each.epistemic, each.replicate): each.store
        for each in config.predictions.values()
    }


def runs(config: Config, cell: Cell) -> list[Run]:
    """The trainings that a trained cell needs.

    Cells share them: none, swag and swag_diag take the first member of the recipe that ensembles
    take several members of.
    """
    method = config.epistemic[cell.epistemic]
    return [
        Run(cell.dataset, cell.aleatoric, method.recipe, cell.replicate, member)
        for member in range(method.members)
    ]


def shown(config: Config, dataset: str) -> list[Cell]:
    """The cells of a dataset that are shown with their images or curves, in all replicates."""
    wanted = config.figures.qualitative.cells
    return [
        cell
        for cell in [*trained(config), *given(config)]
        if cell.dataset == dataset and f"{cell.aleatoric}-{cell.epistemic}" in wanted
    ]


def sources(config: Config) -> list[str]:
    """Names of the tables on the sources of entanglement that a study has."""
    asked = {
        "sweep": "leakage" in config.scores,
        "leakage": "leakage" in config.scores,
        "axes": config.axes,
        "axes_error": config.axes,
        "mitigation": config.remedies,
    }
    return [name for name, wanted in asked.items() if wanted]


def tables(config: Config) -> list[str]:
    """Names of the files of tables.

    The main variant's have plain names, another's end in ``-<variant>``; findings are of all.
    """
    others = [f"-{name}" for name in config.variants[1:]]
    rankings = [f"{table}{{}}.{end}" for table in RANKINGS for end in ("csv", "md", "html", "tex")]
    of_each = [*rankings, *(f"{table}{{}}.csv" for table in _TIDY)]
    findings = [*(["variants"] if others else []), *_FINDINGS, *sources(config)]
    return [
        *(name.format(variant) for variant in ["", *others] for name in of_each),
        *(f"{table}.{end}" for table in findings for end in ("csv", "md", "html")),
    ]
