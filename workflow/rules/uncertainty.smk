rule uncertainty:
    """Turn samples into maps of total, aleatoric and epistemic uncertainty."""
    input:
        settings=f"{STUDY}/settings/uncertainty/{CELL}.json",
        samples=SAMPLES,
    output:
        directory(MAPS),
    log:
        f"{STUDY}/logs/uncertainty/{CELL}.log",
    benchmark:
        f"{STUDY}/benchmarks/uncertainty/{CELL}.tsv"
    priority: 20
    conda:
        environment("uncertainty")
    threads: config["resources"]["uncertainty"]["threads"]
    resources:
        **resources("uncertainty"),
    params:
        code=code("uncertainty", "evaluation.maps"),
    message:
        "Map {wildcards.aleatoric}-{wildcards.epistemic}, replicate {wildcards.replicate},"
        " on {wildcards.dataset}"
    shell:
        "segue uncertainty --settings {input.settings} --out {output}/maps.zarr"
        " --threads {threads} 2>&1 | tee {log} >&2"
