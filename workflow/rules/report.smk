FROM_TABLES = ["scatter_grid", "rank_scatter", "ged_ncc", "critical_difference"]
# No picture of a dataset of which no cell is to be shown.
PICTURED = [d for d in config["datasets"] if any(cell["dataset"] == d for cell in SHOWN)]
FIGURES = [
    f"{STUDY}/figures/{name}.{ending}"
    for name in [*FROM_TABLES, *(f"qualitative-{d}" for d in PICTURED)]
    for ending in ["svg", "png"]
]


rule figure:
    """Draw a figure from the tables."""
    input:
        settings=f"{STUDY}/settings/figure/{{figure}}.json",
        tables=TABLES,
    output:
        report(
            f"{STUDY}/figures/{{figure}}.svg",
            caption="../report/figure.rst",
            category="Figures",
        ),
        f"{STUDY}/figures/{{figure}}.png",
    log:
        f"{STUDY}/logs/figures/{{figure}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure=one_of(FROM_TABLES),
    conda:
        environment("figures")
    threads: config["resources"]["figures"]["threads"]
    resources:
        **resources("figures"),
    params:
        code=lambda wildcards: code("figures", f"report.figures.{wildcards.figure}"),
        stem=lambda wildcards, output: str(Path(output[0]).with_suffix("")),
    message:
        "Figure {wildcards.figure}"
    shell:
        "segue figure --settings {input.settings} --out {params.stem}"
        " --threads {threads} 2>&1 | tee {log} >&2"


rule qualitative:
    """Draw images, raters, samples and maps of one dataset, from replicate 0."""
    input:
        settings=f"{STUDY}/settings/qualitative/{{dataset}}.json",
        dataset=DATASET,
        cells=lambda wildcards: [
            path.format(**cell)
            for path in (SAMPLES, MAPS)
            for cell in SHOWN
            if cell["dataset"] == wildcards.dataset
        ],
    output:
        report(
            f"{STUDY}/figures/qualitative-{{dataset}}.png",
            caption="../report/qualitative.rst",
            category="Figures",
        ),
        f"{STUDY}/figures/qualitative-{{dataset}}.svg",
    log:
        f"{STUDY}/logs/figures/qualitative-{{dataset}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figures/qualitative-{{dataset}}.tsv"
    conda:
        environment("figures")
    threads: config["resources"]["figures"]["threads"]
    resources:
        **resources("figures"),
    params:
        code=code("figures", "report.figures.qualitative"),
        stem=lambda wildcards, output: str(Path(output[0]).with_suffix("")),
    message:
        "Figure qualitative, {wildcards.dataset}"
    shell:
        "segue figure --settings {input.settings} --out {params.stem}"
        " --threads {threads} 2>&1 | tee {log} >&2"
