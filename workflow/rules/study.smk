# The study: read and checked here, before anything runs; every rule asks it for paths and settings.

import os
import shlex
import sys

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import min_version
from yaml import safe_load

from segue.errors import InputError
from segue.study import checks, freeze, grid
from segue.study.study import Study
from segue.study.summary import summary

min_version("9.10")

# A job on another machine starts this file again when its turn comes, perhaps days later. It finds the
# config that the run began with in its environment, in a variable for each module, and reads no file
# that may have been edited meanwhile.
FROZEN = f"SEGUE_CONFIG_{workflow.modifier.namespace or 'MAIN'}"

try:
    if workflow.is_main_process:
        study = Study.parse(config, safe_load((HERE / "config.yaml").read_text()))
        # Snakemake names the Snakefile's own file last; those of the command line are laid over it.
        *over, own = map(str, workflow.configfiles or [HERE / "config.yaml"])
        lines = list(summary(study, [own, *over]))
    else:
        study = Study.parse(freeze.kept(FROZEN), {})
except InputError as error:
    sys.exit(f"Error in the config: {error}")

STUDY, SHARED = study.folder, study.shared
if workflow.is_main_process:
    freeze.keep(FROZEN, study.config)
    for line in lines:
        logger.info(line)
    config["described"] = study.config.model_dump()  # whole, for the start page of the report
    if workflow.modifier.is_main_snakefile():
        workflow.config_settings.configfiles = []  # else jobs would read those of the command line
    else:
        freeze.freeze(study, study.jobs.values())  # hooks of modules do not run


envvars:
    FROZEN,


def inputs(stage):
    """Function of the wildcards that gives what a job needs; ``id`` tells it from its stage's others."""
    return lambda wildcards: study.job(stage, wildcards.id).inputs


def settings(stage):
    return lambda wildcards: study.settings_file(study.job(stage, wildcards.id))


def trigger(stage):
    return lambda wildcards: study.job(stage, wildcards.id).trigger


def asked(stage):
    """What a job asks for: each retry has twice the memory of the attempt before."""
    entry = getattr(study.config.resources, stage)
    memory = lambda wildcards, attempt: entry.mem_mb * 2 ** (attempt - 1)
    # SLURM is not told of mpi_tasks: it is what keeps jobs without a GPU out of partitions that have
    # them (max_mpi_tasks in profiles/slurm).
    tasks = 0 if entry.gpu else 1
    return {"mem_mb": memory, "runtime": entry.runtime, "gpu": entry.gpu, "mpi_tasks": tasks}


def threads_of(stage):
    return getattr(study.config.resources, stage).threads


def environment(stage):
    gpu = getattr(study.config.resources, stage).gpu
    return str(HERE / "envs" / f"segue-{'gpu' if gpu else 'cpu'}.yaml")


# The prefix takes the place of Snakemake's own `set -euo pipefail`, without which a job that died
# would count as done: the status of `segue … | tee log` would be that of tee.
# Jobs find `segue` beside the interpreter that runs Snakemake, so a virtual environment need not be
# activated; with --sdm conda each finds the package through the environment's own interpreter.
if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    source = shlex.quote(str(HERE / "src"))
    find = f'segue() {{{{ PYTHONPATH={source} python -m segue.cli "$@"; }}}}; '
else:
    find = f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
shell.prefix(f"set -euo pipefail; {find}")


# A dry run may do without the data; a run that has to read them stops before its first job. Each job's
# settings go to a file: a job that waits in a queue keeps those that it was queued with.
onstart:
    made = {str(path) for each in workflow.dag.needrun_jobs() for path in each.output}
    for name, each in study.dataset.items():
        if each.made in made and (files := checks.absent(study.config, name)):
            raise WorkflowError(
                f"datasets.{name}: no file {', '.join(files)}; where to get it: docs/data.md. "
                "Nothing was run."
            )
    freeze.freeze(study, [each for each in study.jobs.values() if each.made in made])
    # Under Snakemake's default limit, 100 jobs a second, its scheduler wakes up every second once more
    # for each job that has ended: in a study of hundreds that takes up to a core from the jobs.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


# With many jobs the words on one that failed are far above: the last lines name it again.
onerror:
    failed = [
        each
        for job in workflow.scheduler.failed
        for each in (job.jobs if job.is_group() else [job])
    ]
    for each in sorted(failed, key=str):
        logger.error(
            f"Failed: {each.rule.name} {each.wildcards}; its log: {', '.join(each.log)}"
        )
