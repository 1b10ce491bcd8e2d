rule maps:
    """Turn samples into maps of total, aleatoric and epistemic uncertainty."""
    input:
        inputs("maps"),
    output:
        made=f"{STUDY}/maps/{{id}}/made.json",
    log:
        f"{STUDY}/logs/maps/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/maps/{{id}}.tsv"
    priority: 20
    conda:
        environment("maps")
    threads: threads_of("maps")
    resources:
        **asked("maps"),
    params:
        settings=settings("maps"),
        trigger=trigger("maps"),
    message:
        "Map {wildcards.id}"
    shell:
        "segue stage maps --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
