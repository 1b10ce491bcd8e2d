"""What a config must hold beyond its types: names that exist, options and a grid that fit.

Files of plug-ins are read, not imported: a dry run imports no torch.
"""

from itertools import product
from pathlib import Path

from segue import plugins
from segue.errors import InputError
from segue.study import cost, grid, needs
from segue.study.config import Config


def check(config: Config) -> None:
    """Check a config before anything runs.

    Raises:
        InputError: names the key that is wrong and the remedy.
    """
    _check_datasets(config)
    _check_predictions(config)
    for name, model in config.aleatoric.items():
        where = f"aleatoric.{name}"
        method = plugins.require("aleatoric", model.method, f"{where}.method")
        plugins.check_options(
            "aleatoric", method, "Model.__init__", model.options, f"{where}.options"
        )
        plugins.check_options(
            "aleatoric", method, "Model.sample", model.sampling, f"{where}.sampling"
        )
    if own := config.network.own:
        plugins.check_own(own.name, own.options, "network.own")
    _check_schedules(config)
    for name, entry in config.epistemic.items():
        where = f"epistemic.{name}"
        method = plugins.require("epistemic", entry.method, f"{where}.method")
        plugins.check_options("epistemic", method, "hypotheses", entry.options, f"{where}.options")
        if entry.recipe not in config.recipes:
            there = ", ".join(config.recipes)
            raise InputError(f"{where}.recipe: no recipe {entry.recipe!r}; there are: {there}")
        recipe = config.recipes[entry.recipe]
        needs.check_entry(method, dict(entry), dict(recipe), where)
        for aleatoric, model in config.aleatoric.items():
            if (cell := f"{aleatoric}-{name}") not in config.not_applicable:
                one = cost.draws(model.model_dump(), 2) == 1
                needs.check_model(method, model.method, one, where, cell)
        elsewhere = recipe.collect or recipe.schedule  # snapshots are not of the last epochs
        for dataset, model in product([] if elsewhere else config.datasets, config.aleatoric):
            if recipe.snapshots > (epochs := config.training_of(dataset, model).epochs):
                raise InputError(
                    f"recipes.{entry.recipe}.snapshots: {recipe.snapshots} of the {epochs} epochs "
                    f"that {model} is trained on {dataset}; raise its epochs or lower `snapshots`"
                )
    plugins.check_tasks(config.scores, config.tables.tasks)
    _check_labels(config)
    _check_sources(config)
    shown, kept = config.figures.qualitative, config.samples
    if shown.cells and kept.keep != "none" and shown.images > kept.shown:
        raise InputError(
            f"figures.qualitative.images: expected at most {kept.shown}, of which samples.shown "
            f"gives the samples, found {shown.images}"
        )
    if not grid.trained(config) and not config.predictions:
        raise InputError("not_applicable: leaves out every cell of the grid")


def _check_labels(config: Config) -> None:
    """Raise InputError where two of a section would be printed alike, and not be told apart."""
    for section in ("datasets", "aleatoric", "epistemic"):
        printed: dict[str, str] = {}
        for name, entry in getattr(config, section).items():
            other = printed.setdefault(entry.label or name, name)
            if other != name:
                raise InputError(
                    f"{section}.{name}.label: {entry.label or name!r} is what {section}.{other} is "
                    "printed as; give one of them another label"
                )


def check_side(config: Config, name: str, side: int) -> None:
    """Raise InputError unless images of a dataset can be halved once for each level but one."""
    levels, patch = len(config.network.channels), config.network.patch
    factor = patch * 2 ** (levels - 1)
    if side % factor:
        raise InputError(
            f"network.channels: {levels} levels of patches of {patch} pixels need images whose "
            f"side is divisible by {factor}; those of {name} have {side} pixels; change the "
            "levels, network.patch or the dataset's options"
        )


def absent(config: Config, name: str) -> list[str]:
    """Files of a dataset that are not there."""
    entry = config.datasets[name]
    paths = plugins.literal(plugins.module("sources", entry.source), "PATHS", ())
    given = [entry.options[key] for key in paths if entry.options.get(key)]
    return [path for path in given if not Path(path).exists()]


def _check_schedules(config: Config) -> None:
    """Raise InputError for a schedule that there is not, or with a recipe that it does not fit."""
    for name, recipe in config.recipes.items():
        if not (schedule := recipe.schedule):
            continue
        where = f"recipes.{name}.schedule"
        method = plugins.require("schedules", schedule.method, f"{where}.method")
        plugins.check_options("schedules", method, "rate", schedule.options, f"{where}.options")
        if recipe.collect:
            raise InputError(
                f"{where}: snapshots are those of the schedule, so there is no time to collect "
                "them; remove `collect`, or `schedule`"
            )


def _check_datasets(config: Config) -> None:
    if not config.datasets and not config.predictions:
        raise InputError("datasets: there is none, and no predictions; name at least one of either")
    for name, entry in config.datasets.items():
        where = f"datasets.{name}"
        source = plugins.require("sources", entry.source, f"{where}.source")
        plugins.check_options("sources", source, "open_source", entry.options, f"{where}.options")
        if size := cost.nominal(source, entry.options):
            check_side(config, name, size.side)


def _check_sources(config: Config) -> None:
    """Raise InputError for a name in ``axes`` or ``remedies`` that there is not, or no scores."""
    for section, entries in (("axes", config.axes), ("remedies", config.remedies)):
        if entries and "leakage" not in config.scores:
            raise InputError(f"{section}: needs the task leakage in `scores`; add it there")
    for name, axis in config.axes.items():
        for point in axis.points:
            if point.dataset not in config.datasets:
                there = ", ".join(config.datasets)
                raise InputError(
                    f"axes.{name}.points: no dataset {point.dataset!r}; there are: {there}"
                )
    for name, remedy in config.remedies.items():
        where = f"remedies.{name}"
        for method in (remedy.before, remedy.after):
            if method not in config.epistemic:
                there = ", ".join(config.epistemic)
                raise InputError(f"{where}: no epistemic method {method!r}; there are: {there}")
        if remedy.variant not in ("corrected", "jackknife"):
            raise InputError(f"{where}.variant: expected corrected or jackknife")
        if missing := {"corrected", "jackknife"} - set(config.variants):
            raise InputError(f"{where}: needs {min(missing)} among `variants`; add it there")


def _check_predictions(config: Config) -> None:
    """Raise InputError for a store that is not there, or of a cell that is there already."""
    cells: dict[grid.Cell, str] = {}
    for name, each in config.predictions.items():
        where = f"predictions.{name}"
        if not (Path(each.store) / "zarr.json").is_file():
            raise InputError(f"{where}.store: no Zarr store (format 3) at {each.store!r}")
        if each.dataset in config.datasets:
            raise InputError(f"{where}.dataset: {each.dataset!r} is one of `datasets`")
        cell = grid.Cell(each.dataset, each.aleatoric, each.epistemic, each.replicate)
        other = cells.setdefault(cell, name)
        if other != name:
            raise InputError(f"{where}: the same cell and replicate as predictions.{other}")
