rule given:
    """Check predictions that another program wrote, and link their store as the samples of a cell."""
    input:
        lambda wildcards: STORES[CELL.format(**wildcards)],
    output:
        directory(SAMPLES),
    log:
        f"{STUDY}/logs/given/{CELL}.log",
    benchmark:
        f"{STUDY}/benchmarks/given/{CELL}.tsv"
    wildcard_constraints:
        dataset=one_of(cell["dataset"] for cell in GIVEN),
    priority: 30
    conda:
        environment("score")
    resources:
        **resources("score"),
    params:
        store=lambda wildcards, input: str(Path(input[0]).resolve()),
    message:
        "Check {wildcards.aleatoric}-{wildcards.epistemic}, replicate {wildcards.replicate},"
        " on {wildcards.dataset}"
    shell:
        "{{ segue check {params.store:q} && mkdir -p {output} &&"
        " ln -s {params.store:q} {output}/samples.zarr; }} 2>&1 | tee {log} >&2"
