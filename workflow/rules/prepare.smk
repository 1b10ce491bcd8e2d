CARDS = [
    f"{STUDY}/cards/{name}.{ending}"
    for name in config["datasets"]
    for ending in ["md", "png", "svg"]
]


rule prepare:
    """Read a dataset and write its splits, the shifted ones included, to one store."""
    input:
        settings=f"{STUDY}/settings/prepare/{{dataset}}.json",
    output:
        directory(DATASET),
    log:
        f"{STUDY}/logs/prepare/{{dataset}}.log",
    benchmark:
        f"{STUDY}/benchmarks/prepare/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=one_of(config["datasets"]),
    priority: 50
    conda:
        environment("prepare")
    threads: config["resources"]["prepare"]["threads"]
    resources:
        **resources("prepare"),
    params:
        code=lambda wildcards: code(
            "prepare",
            "data.prepare",
            f"data.sources.{config['datasets'][wildcards.dataset]['source']}",
        ),
    message:
        "Prepare {wildcards.dataset}"
    shell:
        "segue prepare --settings {input.settings} --out {output}/dataset.zarr"
        " --threads {threads} 2>&1 | tee {log} >&2"


rule data_card:
    """Write a page on a dataset: counts, raters' agreement, licence, a picture of each split."""
    input:
        settings=f"{STUDY}/settings/card/{{dataset}}.json",
        dataset=DATASET,
    output:
        page=report(f"{STUDY}/cards/{{dataset}}.md", category="Data"),
        png=f"{STUDY}/cards/{{dataset}}.png",
        svg=f"{STUDY}/cards/{{dataset}}.svg",
    log:
        f"{STUDY}/logs/cards/{{dataset}}.log",
    benchmark:
        f"{STUDY}/benchmarks/cards/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=one_of(config["datasets"]),
    conda:
        environment("figures")
    threads: config["resources"]["figures"]["threads"]
    resources:
        **resources("figures"),
    params:
        code=code("figures", "report.card"),
    message:
        "Data card of {wildcards.dataset}"
    shell:
        "segue card --settings {input.settings} --out {output.page}"
        " --threads {threads} 2>&1 | tee {log} >&2"
