# The study: datasets -> training -> samples -> maps -> scores -> tables and figures.
#   snakemake --cores all        run config.yaml
#   snakemake -n                 say what would run


configfile: "config.yaml"


include: "workflow/rules/config.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/given.smk"
include: "workflow/rules/uncertainty.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/settings.smk"
include: "workflow/rules/freeze.smk"
include: "workflow/rules/summary.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        CARDS,
        TABLES,
        FIGURES,
