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
    priority: 50
    conda:
        environment("prepare")
    threads: config["resources"]["prepare"]["threads"]
    resources:
        **resources("prepare"),
    params:
        code=lambda wildcards: code(
            "prepare",
            "preparation",
            f"datasets.{config['datasets'][wildcards.dataset]['source']}",
        ),
    message:
        "Prepare {wildcards.dataset}"
    shell:
        "segue prepare --settings {input.settings} --out {output}/dataset.zarr"
        " --threads {threads} 2>&1 | tee {log} >&2"
