"""The arguments of the ``segue`` command, and what ``--help`` says of them."""

import argparse
import ast
from importlib import import_module
from pathlib import Path

from segue import plugins

_SOURCES = {
    "nnunet": "read what `nnUNetv2_predict --save_probabilities` wrote, a folder for each fold",
    "folder": "read files of NumPy (.npy, .npz), PyTorch (.pt) or NIfTI",
}

_IMPORT = """\
A folder holds files that are named by their images, or such a folder for each member of an
ensemble (of masks: for each rater). Other names are told by a pattern, in braces what varies:
'id/{member}/{image}_{class}.nii.gz'; image, member, draw and class, and of masks image and rater.
A copy of an image in a shifted split has the name of its original.

  segue import nnunet --split val=pred/val id=pred/test ood_scanner=pred/other \\
      --labels masks --slices z --out mine.zarr

Values, names and axes are explained in docs/predictions.md."""


def parser() -> argparse.ArgumentParser:
    """What the command line may say; ``command`` of what it says is the name of the command."""
    found = argparse.ArgumentParser(
        prog="segue",
        description="Uncertainty of segmentations, and how entangled its two kinds are.",
        epilog="`segue <command> --help` says more. `snakemake` runs whole studies.",
    )
    found.add_argument("--version", action=_Version, nargs=0, help="print it and end")
    commands = found.add_subparsers(required=True, metavar="<command>")

    def add(name: str, summary: str, **more) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=f"{summary}.", **more)
        command.set_defaults(command=name)
        return command

    check = add("check", "say what is in a store of predictions and what is wrong with it")
    score = add("score", "score the predictions of another program")
    for command in (check, score):
        command.add_argument(
            "store", metavar="STORE", type=Path, help="Zarr store, see docs/predictions.md"
        )
    score.add_argument("--out", type=Path, required=True, help="folder to write, which is new")
    score.add_argument(
        "--replace", action="store_true", help="replace what an earlier run wrote to --out"
    )
    score.add_argument("--dataset", help="name of the dataset (default: that of the store)")
    score.add_argument("--aleatoric", help="name of the aleatoric method (default: given)")
    score.add_argument("--epistemic", help="name of the epistemic method (default: given)")
    score.add_argument("--config", type=Path, help="YAML file such as config.yaml: how to score")
    sources = add("import", "make a store of predictions of the files of another program")
    sources = sources.add_subparsers(required=True, metavar="<source>")
    for name, summary in _SOURCES.items():
        _add_source(sources, name, summary)
    export = add("export", "write maps of uncertainty as NIfTI or TIFF files")
    export.add_argument(
        "maps",
        metavar="MAPS",
        type=Path,
        help="maps.zarr, or a folder that holds it, such as `segue score` and a study write",
    )
    export.add_argument("--out", type=Path, required=True, help="folder to write, which is new")
    export.add_argument(
        "--to",
        choices=("nifti", "tiff"),
        required=True,
        help="format: needs segue[data] or [study]",
    )
    export.add_argument(
        "--estimator",
        nargs="+",
        choices=("plugin", "jackknife"),
        default=["plugin"],
        help="maps as published, or without the noise of finitely many draws (default: plugin)",
    )
    report = add("report", "put a study, or scored predictions, on one page")
    report.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        help="results/<study>, or what `segue score` wrote to",
    )
    report.add_argument("--out", type=Path, help="the page (default: report.html in the folder)")
    plan = add("plan", "say what a study will do and what that will cost")
    plan.add_argument(
        "--config", type=Path, default=Path("config.yaml"), help="default: config.yaml"
    )
    plan.add_argument(
        "--configfile", type=Path, nargs="*", default=[], help="studies that are laid over it"
    )
    try:
        stages = import_module("segue.study.stages").STAGES
    except ImportError as error:  # the light install
        raise SystemExit(f"segue stage: {error}; install segue[study]") from error
    _add_stage(commands, "prepare", stages["prepare"])  # the stage that is run by hand most
    by_hand = add("stage", "run one stage of a study by hand")
    names = by_hand.add_subparsers(required=True, metavar="<stage>")
    for name, stage in stages.items():
        _add_stage(names, name, stage)
    return found


class _Version(argparse.Action):
    """Prints the version, and those of what computes, which a report of a fault ought to name."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        found = import_module("segue.study.code").software()
        print(f"segue {found.pop('segue', 'of unknown version')}")
        print(", ".join(f"{name} {version}" for name, version in found.items()))
        parser.exit()


def _add_source(sources, name: str, summary: str) -> None:
    """A command that imports from a source."""
    command = sources.add_parser(
        name,
        help=summary,
        description=f"{name}: {summary}.",
        epilog=_IMPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command="import", source=name)
    command.add_argument(
        "--split",
        nargs="+",
        action="extend",
        required=True,
        metavar="NAME=FILES",
        help="predictions of val, id and ood_<shift>: a folder or a pattern of each",
    )
    command.add_argument(
        "--labels",
        nargs="+",
        action="extend",
        required=True,
        metavar="FILES",
        help="the raters' masks, a folder or a pattern: of all splits, or NAME=FILES of each",
    )
    command.add_argument("--out", type=Path, required=True, help="store to write, which is new")
    command.add_argument(
        "--slices", choices=("x", "y", "z"), help="axis along which volumes are cut into images"
    )
    if name == "folder":
        command.add_argument(
            "--axes",
            metavar="LETTERS",
            help="of each file's axes, such as czyx: e member, a draw, c class, i image, z, y, x",
        )
    command.add_argument(
        "--size",
        type=int,
        nargs=2,
        metavar=("Y", "X"),
        help="of all images: smaller ones get a margin of certain background without labels",
    )
    command.add_argument(
        "--values",
        nargs="+",
        metavar="VALUE=CLASS",
        action="extend",
        type=_pair,
        help="class of each pixel value of the masks, such as 0=0 128=1, or colour '#ff0000=1'",
    )
    command.add_argument(
        "--ignore", type=int, metavar="VALUE", help="pixel value of the masks that is no class"
    )


def _pair(text: str) -> tuple[str, int]:
    value, equals, number = text.partition("=")
    if not equals or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"expected VALUE=CLASS, such as 255=1, found {text!r}")
    return value, int(number)


def _add_stage(commands, name: str, stage) -> None:
    """A command for a stage; what it reads is taken from its settings and its function."""
    command = commands.add_parser(
        name,
        help=stage.summary,
        description=f"{name}: {stage.summary}.",
        epilog=_documentation(stage),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command="stage", stage=name)
    command.add_argument("--settings", type=Path, required=True, help="JSON file, see below")
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        help="path of the result; one that ends in .json is a stamp, beside which it is put",
    )
    command.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    command.add_argument(
        "--gpu",
        type=int,
        choices=(0, 1),
        default=1,
        help="of train and sample: 1 for a GPU if there is one (default), 0 for the CPU",
    )


def _documentation(stage) -> str:
    """Keys of a stage's settings and docstring of its function, which is read, not imported."""
    keys = f"keys of the settings file: {', '.join(stage.settings.model_fields)}"
    modules = [stage.module]
    if "<" in stage.module:
        modules = [plugins.module("figures", name) for name in plugins.available("figures")]
    texts = []
    for module in modules:
        text = ast.get_docstring(plugins.definition(module, stage.function)) or ""
        texts.append(f"{module}\n\n{text}" if modules[1:] else text)
    return "\n\n".join([keys, *texts])
