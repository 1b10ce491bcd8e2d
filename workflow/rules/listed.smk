# What Snakemake's report says of tables and figures in its lists.

from segue.study.figures import said


def listed(path):
    """A table's file, as the report lists it: pages are shown, other files are not."""
    if not path.endswith(".html"):
        return path
    name, _, variant = Path(path).stem.partition("-")
    ranks = name in grid.RANKINGS
    return report(
        path,
        caption="../report/tables.rst",
        category="Tables",
        subcategory="Ranks" if ranks else "Findings",
        labels={
            "table": name.replace("_", " "),
            "scores": variant or (study.config.variants[0] if ranks else "all"),
        },
    )


def of_figure(id):
    """Settings of a figure."""
    return study.job("figure", id).settings


def figure_labels(wildcards):
    """What the report's list says of a figure."""
    drawn = of_figure(wildcards.id)
    return {
        "figure": said(drawn.figure, "TITLE"),
        "dataset": getattr(drawn, "name", "all"),
    }


def figure_group(wildcards):
    """Where the report's list has a figure."""
    groups = {"Figure": "Overview", "Qualitative": "Images", "Curves": "Curves"}
    return groups[type(of_figure(wildcards.id)).__name__]
