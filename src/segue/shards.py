"""How many images go into one file of a store: so many that a large study has few files."""

BYTES = 64 * 2**20
"""Of the arrays of the images that are written at a time, before compression, at most."""


def images(size: float, batch: int) -> int:
    """Images, of ``size`` bytes each, in a file: whole batches, one at least."""
    return max(1, int(BYTES / (size * batch))) * batch
