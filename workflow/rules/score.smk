rule score:
    """Score maps and predictions of one cell and replicate: one row a score; and intervals."""
    input:
        settings=f"{STUDY}/settings/score/{CELL}.json",
        dataset=lambda wildcards: references(wildcards)[0],
        samples=SAMPLES,
        maps=MAPS,
    output:
        scores=SCORES,
        intervals=INTERVALS,
    log:
        f"{STUDY}/logs/score/{CELL}.log",
    benchmark:
        f"{STUDY}/benchmarks/score/{CELL}.tsv"
    priority: 20
    conda:
        environment("score")
    threads: config["resources"]["score"]["threads"]
    resources:
        **resources("score"),
    params:
        code=code(
            "score", "evaluation.score", *(f"evaluation.tasks.{name}" for name in config["scores"])
        ),
    message:
        "Score {wildcards.aleatoric}-{wildcards.epistemic}, replicate {wildcards.replicate},"
        " on {wildcards.dataset}"
    shell:
        "segue score --settings {input.settings} --out {output.scores}"
        " --threads {threads} 2>&1 | tee {log} >&2"
