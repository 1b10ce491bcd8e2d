"""A cluster's queue on one machine: each job waits for a file, then starts Snakemake once more."""

import os
import signal
import subprocess
from collections.abc import AsyncGenerator

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

OPEN = "queue-is-open"
"""File in the working folder without which no job begins."""

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    auto_deploy_default_storage_provider=False,
)


class Executor(RemoteExecutor):
    """Runs jobs in processes of their own, as a cluster does on its nodes."""

    def run_job(self, job):
        wait = f"while [ ! -e {OPEN} ]; do sleep 0.1; done; "
        command = wait + self.format_job_exec(job)
        process = subprocess.Popen(command, shell=True, start_new_session=True)
        self.report_job_submission(SubmittedJobInfo(job, aux={"process": process}))

    async def check_active_jobs(self, active_jobs) -> AsyncGenerator[SubmittedJobInfo, None]:
        for each in active_jobs:
            status = each.aux["process"].poll()
            if status is None:
                yield each
            elif status:
                self.report_job_error(each)
            else:
                self.report_job_success(each)

    def cancel_jobs(self, active_jobs):
        for each in active_jobs:
            os.killpg(each.aux["process"].pid, signal.SIGTERM)
