# One settings file per stage and job, an input of that job: one that waits in a queue keeps the
# settings it was queued with, whatever happens to config.yaml meanwhile.

import json

for stage, path, settings in SETTINGS:

    rule:
        name:
            f"{stage}_settings"
        output:
            f"{STUDY}/settings/{stage}/{path}.json",
        log:
            f"{STUDY}/logs/settings/{stage}/{path}.log",
        priority: 100  # all settings are frozen before the first job starts
        localrule: True
        conda:
            "../../envs/segue-cpu.yaml"
        params:
            # Sorted keys: the order in config.yaml means nothing.
            content=lambda wildcards, settings=settings: json.dumps(
                settings(wildcards), sort_keys=True
            ),
        message:
            "Settings {output}"
        shell:
            "printf '%s\\n' {params.content:q} > {output} 2> {log}"
