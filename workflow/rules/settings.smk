# What each stage reads of the config, and nothing else: a change of a key reruns the stages that read
# it. freeze.smk writes it to one file per stage and job.


def prepare_settings(wildcards):
    dataset = config["datasets"][wildcards.dataset]
    return {
        "source": dataset["source"],
        "options": dataset.get("options", {}),
        "seed": config["seed"],
    }


def card_settings(wildcards):
    return {"dataset": f"{DATASET}/dataset.zarr".format(**wildcards)}


def train_settings(wildcards):
    model = config["aleatoric"][wildcards.aleatoric]
    recipe = config["recipes"][wildcards.recipe]
    # Only the first run of a replicate is read for its snapshots (by swag).
    first = int(wildcards.seed) % stride(wildcards.recipe) == 0
    return {
        "dataset": f"{DATASET}/dataset.zarr".format(**wildcards),
        "aleatoric": {"method": model["method"], "options": model.get("options", {})},
        "network": config["network"],
        "recipe": recipe if first else recipe | {"snapshots": 0},
        "training": config["training"] | model.get("training", {}),
        "labels": [*wildcards],
        "seed": config["seed"],
        "work": f"{STUDY}/work/train/" + "-".join(wildcards),
    }


def sample_settings(wildcards):
    method = config["epistemic"][wildcards.epistemic]
    return {
        "dataset": f"{DATASET}/dataset.zarr".format(**wildcards),
        "checkpoints": checkpoints(wildcards),
        "sampler": config["aleatoric"][wildcards.aleatoric].get("sampling", {}),
        "epistemic": {
            "method": method["method"],
            "hypotheses": method["hypotheses"],
            "options": method.get("options", {}),
        },
        **config["sampling"],
        "labels": [*wildcards],
        "seed": config["seed"],
        "work": f"{STUDY}/work/sample/" + "-".join(wildcards),
    }


def uncertainty_settings(wildcards):
    return {
        "samples": f"{SAMPLES}/samples.zarr".format(**wildcards),
        **config["uncertainty"],
    }


def score_settings(wildcards):
    return {
        "dataset": "/".join(references(wildcards)),
        "samples": f"{SAMPLES}/samples.zarr".format(**wildcards),
        "maps": f"{MAPS}/maps.zarr".format(**wildcards),
        "key": {
            "study": config["study"],
            **wildcards,
            "replicate": int(wildcards.replicate),
        },
        "variants": config["variants"],
        "options": config["scores"],
        "seed": config["seed"],
    }


def tables_settings(wildcards):
    return {
        "scores": [SCORES.format(**cell) for cell in CELLS],
        "cells": [[*cell.values()] for cell in CELLS],
        "not_applicable": config["not_applicable"],
        "options": config["tables"],
        "seed": config["seed"],
        "published": {
            name: d["published"] for name, d in config["datasets"].items() if "published" in d
        },
        "captions": CAPTIONS,
    }


def figure_settings(wildcards):
    return {"figure": wildcards.figure, "tables": f"{STUDY}/tables", "captions": CAPTIONS}


def qualitative_settings(wildcards):
    return {
        "figure": "qualitative",
        "dataset": f"{DATASET}/dataset.zarr".format(**wildcards),
        "cells": [
            {
                "aleatoric": cell["aleatoric"],
                "epistemic": cell["epistemic"],
                "samples": f"{SAMPLES}/samples.zarr".format(**cell),
                "maps": f"{MAPS}/maps.zarr".format(**cell),
            }
            for cell in SHOWN
            if cell["dataset"] == wildcards.dataset
        ],
        "split": "id",
        "images": config["figures"]["qualitative"]["images"],
    }


SETTINGS = [  # stage, path of its files, what they hold
    ("prepare", "{dataset}", prepare_settings),
    ("card", "{dataset}", card_settings),
    ("train", "{dataset}/{aleatoric}/{recipe}/seed{seed}", train_settings),
    ("sample", CELL, sample_settings),
    ("uncertainty", CELL, uncertainty_settings),
    ("score", CELL, score_settings),
    ("tables", "tables", tables_settings),
    ("figure", "{figure}", figure_settings),
    ("qualitative", "{dataset}", qualitative_settings),
]
