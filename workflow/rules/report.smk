FIGURES = [
    f"{STUDY}/figures/{job.id}.{ending}"
    for job in study.of("figure")
    for ending in ["svg", "png", "pdf"]
]


rule figure:
    """Draw a figure, from the tables or from images or maps of one dataset."""
    input:
        inputs("figure"),
    output:
        made=report(
            f"{STUDY}/figures/{{id}}.svg",
            caption="../report/figure.rst",
            category="Figures",
            subcategory=figure_group,
            labels=figure_labels,
        ),
        png=f"{STUDY}/figures/{{id}}.png",
        pdf=f"{STUDY}/figures/{{id}}.pdf",
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
        # Of the output, as Snakemake sees it: other words in a caption redraw nothing.
        caption=lambda wildcards, output: said(of_figure(wildcards.id).figure, "CAPTION"),
    message:
        "Figure {wildcards.id}"
    shell:
        "segue stage figure --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
