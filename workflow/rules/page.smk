PAGE = study.job("page", "page").made


rule page:
    """Put all of the study on one page, when all else of it is there."""
    input:
        study.job("page", "page").inputs,
    output:
        PAGE,
    log:
        f"{STUDY}/logs/page.log",
    benchmark:
        f"{STUDY}/benchmarks/page.tsv"
    conda:
        environment("figures")
    threads: threads_of("figures")
    resources:
        **asked("figures"),
    params:
        settings=study.settings_file(study.job("page", "page")),
        trigger=study.job("page", "page").trigger,
    message:
        "Page"
    shell:
        "segue stage page --settings {params.settings:q} --out {output:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
