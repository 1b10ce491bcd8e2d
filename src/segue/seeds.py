"""Seeds derived by label: the only source of randomness in the package.

A run has one integer; every use of it derives its own by what it is for, so that neither order,
batch size nor the number of workers changes any draw.
"""

import hashlib
import json

import numpy as np


def derive(seed: int, *labels: str | int) -> int:
    """Return an integer in [0, 2**63) that depends on ``seed`` and on every label, nothing else."""
    key = json.dumps([int(seed), *labels]).encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1


def rng(seed: int, *labels: str | int) -> np.random.Generator:
    """Return a fresh numpy generator seeded by ``derive(seed, *labels)``."""
    return np.random.default_rng(derive(seed, *labels))
