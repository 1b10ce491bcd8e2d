FIGURES = [
    f"{STUDY}/figures/{job.id}.{ending}" for job in study.of("figure") for ending in ["svg", "png"]
]


rule figure:
    """Draw a figure, from the tables or from images of one dataset."""
    input:
        inputs("figure"),
    output:
        made=report(
            f"{STUDY}/figures/{{id}}.svg",
            caption="../report/figure.rst",
            category="Figures",
        ),
        png=f"{STUDY}/figures/{{id}}.png",
    log:
        f"{STUDY}/logs/figure/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/figure/{{id}}.tsv"
    conda:
        environment("figures")
    threads: threads_of("figures")
    resources:
        **asked("figures"),
    params:
        settings=settings("figure"),
        trigger=trigger("figure"),
        stem=lambda wildcards, output: str(Path(output.made).with_suffix("")),
    message:
        "Figure {wildcards.id}"
    shell:
        "segue stage figure --settings {params.settings:q} --out {params.stem:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
