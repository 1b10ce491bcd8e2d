RANKINGS = [
    f"{table}.{ending}"
    for table in ["performance", "entanglement"]
    for ending in ["csv", "md", "tex"]
]
TIDY = ["scores.csv", "intervals.csv", "deltas.csv", "ranks.csv", "aggregations.csv"]
FINDINGS = [
    f"{table}.{ending}"
    for table in [
        *(["variants"] if config["variants"][1:] else []),
        "conclusions",
        "published_comparison",
        "friedman",
    ]
    for ending in ["csv", "md"]
]
# The main variant's tables have these names, another's end in -<variant>; findings are of all.
TABLES = [
    *(
        f"{STUDY}/tables/{name.replace('.', f'{variant}.')}"
        for variant in ["", *(f"-{name}" for name in config["variants"][1:])]
        for name in [*RANKINGS, *TIDY]
    ),
    *(f"{STUDY}/tables/{name}" for name in FINDINGS),
]


rule tables:
    """Rank the cells and write the tables; a cell without scores is an error."""
    input:
        settings=f"{STUDY}/settings/tables/tables.json",
        scores=[SCORES.format(**cell) for cell in CELLS],
        intervals=[INTERVALS.format(**cell) for cell in CELLS],
    output:
        [
            (
                report(path, caption="../report/tables.rst", category="Tables")
                if path.endswith(".md")
                else path
            )
            for path in TABLES
        ],
    log:
        f"{STUDY}/logs/tables.log",
    benchmark:
        f"{STUDY}/benchmarks/tables.tsv"
    conda:
        environment("tables")
    threads: config["resources"]["tables"]["threads"]
    resources:
        **resources("tables"),
    params:
        code=code(
            "tables",
            "report.tables",
            *(f"evaluation.tasks.{name}" for name in config["tables"]["tasks"]),
        ),
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    message:
        "Tables"
    shell:
        "segue tables --settings {input.settings} --out {params.folder}"
        " --threads {threads} 2>&1 | tee {log} >&2"
