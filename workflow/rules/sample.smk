rule sample:
    """Draw the class probabilities of one cell and replicate."""
    input:
        settings=f"{STUDY}/settings/sample/{CELL}.json",
        dataset=DATASET,
        checkpoints=checkpoints,
    output:
        directory(SAMPLES),
    log:
        f"{STUDY}/logs/sample/{CELL}.log",
    benchmark:
        f"{STUDY}/benchmarks/sample/{CELL}.tsv"
    wildcard_constraints:
        dataset=one_of(config["datasets"]),
    priority: 30
    conda:
        environment("sample")
    threads: config["resources"]["sample"]["threads"]
    resources:
        **resources("sample"),
    params:
        code=lambda wildcards: code(
            "sample",
            "models.sample",
            f"models.aleatoric.{config['aleatoric'][wildcards.aleatoric]['method']}",
            f"models.epistemic.{config['epistemic'][wildcards.epistemic]['method']}",
        ),
    message:
        "Sample {wildcards.aleatoric}-{wildcards.epistemic}, replicate {wildcards.replicate},"
        " on {wildcards.dataset}"
    shell:
        "segue sample --settings {input.settings} --out {output}/samples.zarr"
        " --threads {threads} 2>&1 | tee {log} >&2"
