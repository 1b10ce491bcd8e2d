TABLES = [f"{STUDY}/tables/{name}" for name in grid.tables(study.config)]


rule tables:
    """Rank the cells and write the tables; a cell without scores is an error."""
    input:
        study.job("tables", "tables").inputs,
    output:
        [listed(path) for path in TABLES],
    log:
        f"{STUDY}/logs/tables.log",
    benchmark:
        f"{STUDY}/benchmarks/tables.tsv"
    conda:
        environment("tables")
    threads: threads_of("tables")
    resources:
        **asked("tables"),
    params:
        settings=study.settings_file(study.job("tables", "tables")),
        trigger=study.job("tables", "tables").trigger,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    message:
        "Tables"
    shell:
        "segue stage tables --settings {params.settings:q} --out {params.folder:q}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
