rule sample:
    """Draw the class probabilities of one cell and replicate."""
    input:
        inputs("sample"),
    output:
        made=f"{SHARED}/samples/{{id}}/made.json",
    log:
        f"{STUDY}/logs/sample/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/sample/{{id}}.tsv"
    priority: 30
    conda:
        environment("sample")
    threads: threads_of("sample")
    resources:
        **asked("sample"),
    params:
        settings=settings("sample"),
        trigger=trigger("sample"),
    message:
        "Sample {wildcards.id}"
    shell:
        "segue stage sample --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} --gpu {resources.gpu} 2>&1 | tee {log:q} >&2"


rule given:
    """Check predictions that another program wrote, and link their store as the samples of a cell."""
    input:
        inputs("given"),
    output:
        made=f"{STUDY}/samples/{{id}}/made.json",
    log:
        f"{STUDY}/logs/given/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/given/{{id}}.tsv"
    priority: 30
    conda:
        environment("score")
    threads: threads_of("score")
    resources:
        **asked("score"),
    params:
        settings=settings("given"),
        trigger=trigger("given"),
    message:
        "Check {wildcards.id}"
    shell:
        "segue stage given --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
