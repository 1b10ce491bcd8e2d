"""How fast Segue is, and how much memory and disk it takes: ``python -m benchmarks --help``."""

SUBJECTS = (
    *("imports", "training", "sampling", "store", "scores", "memory", "scaling"),
    *("tables", "workflow", "budget", "bits", "forecast"),
)
"""Modules of this package that measure something, each in a process of its own."""
