# The config is checked here, before anything runs: keys and values against the schema, then the
# names of methods and of their options against the files of the package.

import sys

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.utils import min_version
from yaml import safe_load

from segue import plugins
from segue.errors import InputError

min_version("9.10")


def check_schema():
    """Raise InputError with the config key, its value and what is allowed there."""
    path = Path(workflow.basedir) / "workflow" / "schemas" / "config.schema.yaml"
    validator = Draft202012Validator(safe_load(path.read_text()))
    error = best_match(validator.iter_errors(config))
    if error is None:
        return
    where = ".".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        plugins.compare(error.instance, dict.fromkeys(known, False), where)
    hints = [error.schema["description"]] if "description" in error.schema else []
    if error.validator == "type" and isinstance(error.instance, str):
        hints.append("In YAML a number is written 0.001 or 1.0e-3, without quotes.")
    raise InputError(f"{where}: {error.message}. {' '.join(hints)}".rstrip())


def check_methods():
    """Raise InputError for a method, recipe or option that does not exist."""
    for name, dataset in config["datasets"].items():
        where = f"datasets.{name}"
        source = plugins.require("sources", dataset["source"], f"{where}.source")
        check_options("sources", source, "open_source", dataset, f"{where}.options")
    check_predictions()
    for name, model in config["aleatoric"].items():
        where = f"aleatoric.{name}"
        method = plugins.require("aleatoric", model["method"], f"{where}.method")
        check_options("aleatoric", method, "Model.__init__", model, f"{where}.options")
        check_options("aleatoric", method, "Model.sample", model, f"{where}.sampling")
    for name, model in config["epistemic"].items():
        where = f"epistemic.{name}"
        method = plugins.require("epistemic", model["method"], f"{where}.method")
        check_options("epistemic", method, "hypotheses", model, f"{where}.options")
        if model["recipe"] not in config["recipes"]:
            there = ", ".join(config["recipes"])
            raise InputError(f"{where}.recipe: no recipe {model['recipe']!r}; there are: {there}")
    plugins.check_tasks(config["scores"], config["tables"]["tasks"])


def check_predictions():
    """Raise InputError for given predictions that are not there, or of a cell that is there already."""
    if not config["datasets"] and not config["predictions"]:
        raise InputError("datasets: there is none, and no predictions; name at least one of either")
    cells = {}
    for name, given in config["predictions"].items():
        where = f"predictions.{name}"
        if not (Path(given["store"]) / "zarr.json").is_file():
            raise InputError(f"{where}.store: no Zarr store (format 3) at {given['store']!r}")
        if given["dataset"] in config["datasets"]:
            raise InputError(f"{where}.dataset: {given['dataset']!r} is one of `datasets`")
        keys = ("dataset", "aleatoric", "epistemic", "replicate")
        other = cells.setdefault(tuple(given.get(key, 0) for key in keys), name)
        if other != name:
            raise InputError(f"{where}: the same cell and replicate as predictions.{other}")


def check_options(kind, method, function, entry, where):
    """Raise InputError unless ``entry`` has the options that a plug-in's function takes."""
    known = plugins.options(plugins.module(kind, method), function)
    known.pop("seed", None)
    plugins.compare(entry.get(where.rpartition(".")[2], {}), known, where)


def in_order(section):
    """The entries of a section as config.yaml has them, then those that only a --configfile has.

    Snakemake's merge puts those of the --configfile first; tables and figures follow the order.
    """
    base = safe_load(Path("config.yaml").read_text()).get(section, {})
    names = [name for name in base if name in config[section]]
    return {name: config[section][name] for name in [*names, *config[section]]}


# A study that is laid over config.yaml cannot take an entry away, but it can say that it is null.
for section in ["datasets", "aleatoric", "epistemic", "recipes"]:
    if isinstance(config.get(section), dict):
        config[section] = {k: v for k, v in config[section].items() if v is not None}
try:
    check_schema()
    config["datasets"] = config["datasets"] or {}
    check_methods()
except InputError as error:
    sys.exit(f"Error in the config: {error}")
for section in ["datasets", "aleatoric", "epistemic"]:
    config[section] = in_order(section)
