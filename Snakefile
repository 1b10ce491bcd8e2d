# The study: datasets -> training -> samples -> maps -> scores -> tables, figures, page.
#   snakemake --cores all        run config.yaml
#   snakemake -n                 say what would run
# It also runs from elsewhere: snakemake -s <here>/Snakefile --directory <there>, with a config.yaml of
# its own there or this one; and as a module of another workflow (docs/running.md).
from pathlib import Path

HERE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))

# Jobs on other machines read none: they have the config that the run began with (rules/study.smk).
if workflow.is_main_process:

    configfile: "config.yaml" if Path("config.yaml").exists() else str(HERE / "config.yaml")


report: "workflow/report/study.rst"


include: "workflow/rules/study.smk"
include: "workflow/rules/listed.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/maps.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/page.smk"


rule all:
    default_target: True
    input:
        CARDS,
        TABLES,
        FIGURES,
        PAGE,
    localrule: True
