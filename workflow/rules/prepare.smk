CARDS = [
    f"{STUDY}/cards/{name}.{ending}"
    for name in study.config.datasets
    for ending in ["md", "html", "png", "svg", "pdf"]
]


rule prepare:
    """Read a dataset and write its splits, the shifted ones included, to one store."""
    input:
        inputs("prepare"),
    output:
        made=f"{SHARED}/datasets/{{id}}/made.json",
    log:
        f"{STUDY}/logs/prepare/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/prepare/{{id}}.tsv"
    priority: 50
    conda:
        environment("prepare")
    threads: threads_of("prepare")
    resources:
        **asked("prepare"),
    params:
        settings=settings("prepare"),
        trigger=trigger("prepare"),
    message:
        "Prepare {wildcards.id}"
    shell:
        "segue stage prepare --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"


rule card:
    """Write a page on a dataset: counts, raters' agreement, licence, a picture of each split."""
    input:
        inputs("card"),
    output:
        made=f"{STUDY}/cards/{{id}}.md",
        html=report(
            f"{STUDY}/cards/{{id}}.html",
            caption="../report/card.rst",
            category="Data",
            labels={"dataset": "{id}"},
        ),
        png=f"{STUDY}/cards/{{id}}.png",
        svg=f"{STUDY}/cards/{{id}}.svg",
        pdf=f"{STUDY}/cards/{{id}}.pdf",
    log:
        f"{STUDY}/logs/card/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/card/{{id}}.tsv"
    conda:
        environment("figures")
    threads: threads_of("figures")
    resources:
        **asked("figures"),
    params:
        settings=settings("card"),
        trigger=trigger("card"),
    message:
        "Data card of {wildcards.id}"
    shell:
        "segue stage card --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
