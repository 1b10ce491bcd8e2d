rule train:
    """Train one model; all cells that need this run share it."""
    input:
        settings=f"{STUDY}/settings/train/{{dataset}}/{{aleatoric}}/{{recipe}}/seed{{seed}}.json",
        dataset=DATASET,
    output:
        checkpoint=CHECKPOINT,
        losses=CHECKPOINT.replace(".pt", ".csv"),
    log:
        f"{STUDY}/logs/train/{{dataset}}/{{aleatoric}}/{{recipe}}/seed{{seed}}.log",
    benchmark:
        f"{STUDY}/benchmarks/train/{{dataset}}/{{aleatoric}}/{{recipe}}/seed{{seed}}.tsv"
    priority: 40  # the longest jobs first, so that none is left alone at the end
    conda:
        environment("train")
    threads: config["resources"]["train"]["threads"]
    resources:
        **resources("train"),
    params:
        code=lambda wildcards: code(
            "train",
            "models.train",
            f"models.aleatoric.{config['aleatoric'][wildcards.aleatoric]['method']}",
        ),
    message:
        "Train {wildcards.aleatoric} ({wildcards.recipe}, seed {wildcards.seed})"
        " on {wildcards.dataset}"
    shell:
        "segue train --settings {input.settings} --out {output.checkpoint}"
        " --threads {threads} 2>&1 | tee {log} >&2"
