rule score:
    """Score maps and predictions of one cell and replicate: one row a score; and intervals."""
    input:
        inputs("score"),
    output:
        made=f"{STUDY}/scores/{{id}}/made.json",
    log:
        f"{STUDY}/logs/score/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/score/{{id}}.tsv"
    priority: 20
    conda:
        environment("score")
    threads: threads_of("score")
    resources:
        **asked("score"),
    params:
        settings=settings("score"),
        trigger=trigger("score"),
    message:
        "Score {wildcards.id}"
    shell:
        "segue stage score --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
