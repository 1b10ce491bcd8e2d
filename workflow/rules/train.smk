rule train:
    """Train one model; all cells of all studies that need this run share it."""
    input:
        inputs("train"),
    output:
        made=f"{SHARED}/models/{{id}}/made.json",
    log:
        f"{STUDY}/logs/train/{{id}}.log",
    benchmark:
        f"{STUDY}/benchmarks/train/{{id}}.tsv"
    priority: 40  # the longest jobs first, so that none is left alone at the end
    conda:
        environment("train")
    threads: threads_of("train")
    resources:
        **asked("train"),
    params:
        settings=settings("train"),
        trigger=trigger("train"),
    message:
        "Train {wildcards.id}"
    shell:
        "segue stage train --settings {params.settings:q} --out {output.made:q}"
        " --threads {threads} --gpu {resources.gpu} 2>&1 | tee {log:q} >&2"
