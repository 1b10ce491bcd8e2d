"""Predictions and masks in files -> a store of predictions, and how they were understood."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from segue.data.sources.folder.legend import Legend, values_option
from segue.dims import is_ood
from segue.errors import InputError
from segue.evaluation.canonical import known
from segue.interop.axes import axis_of
from segue.interop.cases import Case, check_classes
from segue.interop.margin import Margin, Size
from segue.interop.patterns import Files, check_whole, find
from segue.interop.raters import SUFFIXES, Reading, open_reading, survey
from segue.interop.turned import Fit
from segue.interop.writer import PredictionWriter
from segue.progress import progress

_NAMED = 8  # members, raters or images that a line names


class Split(NamedTuple):
    """A split to read.

    Attributes:
        files: of its predictions.
        masks: of the raters.
        open: opens a case by its name.
    """

    files: Files
    masks: Files
    open: Callable[[str], Case]


def import_from(
    source: str,
    out: Path,
    *,
    split: Sequence[str],
    labels: Sequence[str],
    slices: str | None = None,
    axes: str | None = None,
    size: Size | None = None,
    values: Mapping[str, int] | None = None,
    ignore: int | None = None,
) -> list[str]:
    """Write a store of predictions in files.

    Args:
        source: whose files they are: a module of ``segue.interop.sources``.
        out: path of the store; must not exist.
        split: of each split its name, ``=`` and its files: a pattern with ``{image}`` and some of
            ``{member}``, ``{draw}`` and ``{class}``; or a folder of files, or of a folder a member.
        labels: the raters' masks: a pattern with ``{image}`` and ``{rater}``, or a folder of files,
            or of a folder a rater; one for all splits, or one a split, as ``split``.
        slices: the axis along which volumes are cut into images, which have one patient then:
            ``z``, ``y`` or ``x``.
        axes: a letter for each axis of a file (``segue.interop.axes``); None: as is usual.
        size: (y, x) of the store's images, of which smaller ones get a margin
            (``segue.interop.margin``); None: all have one size.
        values: pixel value of the masks, or colour as ``#ff0000``, -> class; by default they are
            class indices, or 0 and 255 of two classes.
        ignore: pixel value that stands for no class.

    Returns:
        Lines that say what was read, and as what.

    Raises:
        InputError: names the file that is missing, cannot be read or does not fit, and the remedy.
    """
    if out.exists():
        raise InputError(f"{out}: exists already; remove it, or name another --out")
    module = import_module(f"segue.interop.sources.{source}")
    cut = axis_of(slices, axes)
    named = _by_split(split, "--split")
    masks = _masks(labels, list(named))
    splits = {}
    for name, given in named.items():
        files = find(given, module.KEYS, module.SUFFIXES)
        check_whole(files)
        check_classes(files)
        splits[name] = Split(
            files, masks[name], partial(module.open_case, files, cut=cut, axes=axes)
        )
    classes = _classes(splits)
    numbers = values_option(values, [str(each) for each in range(classes)])
    margin = Margin(size)
    legend = survey(_readings(splits, margin), classes, numbers, ignore)
    lines = []
    with PredictionWriter(out) as writer:
        for name, each in splits.items():
            lines += _write(writer, name, each, (legend, margin), slices is not None)
    said = module.remarks([each.files for each in splits.values()])
    return [*lines, *_copies(splits), *_unused(splits), *said]


def _by_split(given: Sequence[str], option: str) -> dict[str, str]:
    """``val=FILES id=FILES`` of the command line, by split."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, what = each.partition("=")
        if not equals or known([name]) != [name] or name in found or not what:
            raise InputError(
                f"{option}: expected val=..., id=... or ood_<shift>=..., each once, found {each!r}"
            )
        found[name] = what
    return found


def _masks(given: Sequence[str], splits: Sequence[str]) -> dict[str, Files]:
    """The raters' masks of each split: one for all splits, or one for each."""
    if len(given) == 1 and not known([given[0].partition("=")[0]]):
        return dict.fromkeys(splits, find(given[0], ("rater",), SUFFIXES))
    named = _by_split(given, "--labels")
    if odd := sorted({*splits} ^ named.keys()):
        raise InputError(
            f"--labels: expected {', '.join(splits)}, or one folder for all of them, found "
            f"{', '.join(named)}; correct {odd[0]}"
        )
    return {split: find(named[split], ("rater",), SUFFIXES) for split in splits}


def _classes(splits: Mapping[str, Split]) -> int:
    """How many classes the first case has; whether others have as many is seen on writing."""
    first = next(iter(splits.values()))
    return first.open(next(iter(first.files.images))).classes


def _readings(splits: Mapping[str, Split], margin: Margin) -> Iterator[Reading]:
    """The masks of each case, once where splits share them; sizes of all cases are checked."""
    seen = set()
    for split in splits.values():
        for name in split.files.images:
            case = split.open(name)
            margin.check(case.sizes[1:], str(case.first.stored.path))
            if (split.masks.pattern, name) not in seen:
                seen.add((split.masks.pattern, name))
                yield open_reading(split.masks, case)


def _write(
    writer: PredictionWriter, name: str, split: Split, how: tuple[Legend, Margin], sliced: bool
) -> Iterator[str]:
    legend, margin = how
    fit, images, case, labels = Fit(), 0, None, None
    for each in progress(split.files.images, desc=name, unit="case", delay=10):
        case = split.open(each)
        reading = open_reading(split.masks, case)
        for index in range(case.sizes[0]):
            probs, labels = margin.around(case.probs(index), reading.labels(index, legend))
            try:
                writer.add(
                    name,
                    probs[None],
                    labels[None],
                    names=[_name(case, index, sliced)] if each else None,
                    patients=[each] if sliced else None,
                )
            except InputError as error:
                raise InputError(f"{case.first.stored.path}: {error}") from error
            fit.add(probs, labels)
            images += 1
    said = f"{name}: {_count(images, 'image')}"
    if sliced:
        said += f", the slices along {case.cut} of {_count(len(split.files.images), 'volume')}"
    hypotheses, draws, classes, rows, columns = probs.shape
    members = split.files.values.get("member")
    raters = split.masks.values.get("rater")
    yield (
        f"{said}; {_count(hypotheses, 'hypothesis', 'hypotheses')}{_listed(members)}, "
        f"{_count(draws, 'draw')} of each; {classes} classes"
        f"{' (the files have the foreground alone)' * (case.foreground)}; "
        f"{_count(len(labels), 'rater')}{_listed(raters)}; {rows} x {columns} pixels (y, x)"
    )
    yield (
        f"{name}: files {split.files.pattern} with the axes {case.first.letters}, masks "
        f"{split.masks.pattern}"
    )
    if fitting := fit.line():
        yield f"{name}: {fitting}"


def _name(case: Case, index: int, sliced: bool) -> str:
    """The name of an image."""
    if sliced:
        return f"{case.name}_{case.cut}{index:03}"
    return f"{case.name}_{index:04}" if case.cut == "i" else case.name


def _copies(splits: Mapping[str, Split]) -> Iterator[str]:
    """Say which splits have the names of ``id``."""
    here = set(splits["id"].files.images if "id" in splits else ()) - {""}
    for name, split in splits.items():
        shared = [each for each in split.files.images if each in here]
        if name == "id" or not shared:
            continue
        said = f"{len(shared)} of {len(split.files.images)} names are in id too{_listed(shared)}"
        if is_ood(name):
            yield f"{name}: {said}: taken for shifted copies; rename those that are other images"
        else:
            yield f"WARNING: {name}: {said}: what is fitted on {name} would be tested on itself"


def _unused(splits: Mapping[str, Split]) -> Iterator[str]:
    """Say which masks belong to no predictions."""
    used: dict[str, set[str]] = {}
    for split in splits.values():
        used.setdefault(split.masks.pattern, set()).update(split.files.images)
    for masks in {split.masks.pattern: split.masks for split in splits.values()}.values():
        if lacking := [name for name in masks.images if name not in used[masks.pattern]]:
            yield (
                f"{masks.pattern}: masks of {_count(len(lacking), 'image')} without predictions "
                f"are left out{_listed(lacking)}"
            )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _listed(names: Sequence[str] | None) -> str:
    if not names:
        return ""
    return f" ({', '.join(names[:_NAMED])}{', ...' * (len(names) > _NAMED)})"
