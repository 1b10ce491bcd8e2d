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
    # Where samples go once their maps are there, before more are drawn.
    priority: 20 if study.config.samples.keep == "all" else 60
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
