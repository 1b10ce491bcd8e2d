"""What is on record of a study: which code and versions made each result, its digest, its times."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from segue import stamp
from segue.report.page.material import Material, read_json

STAGES = {
    "prepare": "datasets/*",
    "train": "models/*/*/*/*",
    "sample": "samples/*/*/*",
    "maps": "maps/*/*/*",
    "score": "scores/*/*/*",
}
"""Where the stamps of each stage lie in the folder of a study."""

_NAMES = {"figure": "figures", "card": "data cards"}


def results(material: Material) -> pd.DataFrame:
    """Each finished result with what made it.

    Returns:
        Columns stage, result (its path), content (a digest of what it holds), code (a fingerprint
        of the code that made it) and the versions of the software; in the order of the data.
    """
    found = [
        {"stage": stage, "result": str(made.parent.relative_to(material.folder))} | _made(made)
        for stage, pattern in STAGES.items()
        for made in sorted(material.folder.glob(f"{pattern}/{stamp.NAME}"))
    ]
    if material.record:
        found.append({"stage": "tables", "result": "tables", "content": ""} | _of(material.record))
    return pd.DataFrame(found)


def _made(path: Path) -> dict[str, str]:
    made = stamp.read(path)
    known = read_json(made.folder / "provenance.json", "remove it")
    return {"content": made.content} | _of(known)


def _of(record: dict) -> dict[str, str]:
    device = {"device": str(record["device"])} if "device" in record else {}
    return {"code": record.get("code", ""), **record.get("software", {}), **device}


def software(results: pd.DataFrame) -> pd.DataFrame:
    """Of each stage the number of its results, and all code and versions that made them."""
    if results.empty:
        return results
    columns = [name for name in results if name not in ("stage", "result", "content")]
    groups = results.groupby("stage", sort=False)
    told = groups[columns].agg(_all)
    return told.assign(results=groups.size())[["results", *columns]].reset_index()


def _all(values: pd.Series) -> str:
    """The different ones; of many the first two, and how many more there are."""
    found = sorted({*values.dropna()} - {""})
    more = f" and {len(found) - 2} more" if len(found) > 3 else ""
    return ", ".join(found[: 2 if more else 3]) + more


def times(material: Material) -> pd.DataFrame:
    """Seconds and memory of the jobs of each stage, as Snakemake measured them.

    Returns:
        Columns stage, jobs; median, greatest and sum of their seconds; greatest MB of memory. Empty
        where nothing was measured.
    """
    rows = pd.DataFrame(_benchmarks(material.folder / "benchmarks"))
    if rows.empty:
        return rows
    groups = rows.groupby("stage")
    found = pd.DataFrame(
        {
            "jobs": groups.size(),
            "median s": groups["s"].median(),
            "longest s": groups["s"].max(),
            "all together s": groups["s"].sum(),
            "most memory MB": groups["max_rss"].max(),
        }
    )
    order = [*STAGES, "given", "tables"]
    first = [stage for stage in order if stage in found.index]
    return found.reindex([*first, *found.index.difference(first)]).reset_index()


def _benchmarks(folder: Path) -> Iterator[dict]:
    for path in sorted(folder.glob("**/*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        stage = path.relative_to(folder).parts[0].removesuffix(".tsv")
        if stage != "page" and {"s", "max_rss"} <= set(table):  # its own time is not known yet
            name = _NAMES.get(stage, stage)
            yield from table[["s", "max_rss"]].assign(stage=name).to_dict("records")
