"""Files as other programs write them, of lopsided objects whose place and turn can be told."""

from pathlib import Path

import nibabel
import numpy as np

from segue import seeds

SIZE = (5, 12, 9)  # of volumes, z, y, x: no two alike
MEMBERS = ("fold_0", "fold_1", "fold_2")
RATERS = ("anna", "ben")
AFFINE = np.diag([-0.8, -0.7, 2.5, 1.0])


def inside(name: str) -> np.ndarray:
    """How far voxels (z, y, x) lie inside an object that no turn or mirror leaves as it is."""
    rng = seeds.rng(0, "inside", name)
    z, y, x = np.mgrid[: SIZE[0], : SIZE[1], : SIZE[2]]
    y0, x0 = rng.uniform(2, 3, 2)
    blob = 2.6 - np.hypot(y - y0, x - x0)
    tail = 1.2 - np.maximum(np.abs(x - x0), np.abs(y - y0 - 4) / 4)  # along y, and off the centre
    return np.maximum(blob, tail) - 0.3 * z


def masks(name: str, rater: str) -> np.ndarray:
    """Class indices (z, y, x) of a rater: 0, 1, and 2 deeper inside."""
    offset = seeds.rng(0, name, rater).normal(0, 0.4)
    found = inside(name) + offset
    return (found > 0).astype(np.uint8) + (found > 1.2)


def probs(name: str, member: str, noise: float = 0.5) -> np.ndarray:
    """Probabilities (class, z, y, x) float32 of a member."""
    rng = seeds.rng(0, "probs", name, member)
    depth = inside(name) + rng.normal(0, noise) + rng.normal(0, noise / 2, SIZE)
    logits = np.stack([np.zeros(SIZE), 2 * depth, 4 * depth - 3])
    found = np.exp(logits - logits.max(axis=0))
    return (found / found.sum(axis=0)).astype(np.float32)


def save_nifti(path: Path, values: np.ndarray) -> None:
    """Write values (z, y, x) as a NIfTI file, (x, y, z)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values.transpose(), AFFINE), path)


def nnunet(folder: Path, names: list[str], noise: float = 0.5) -> None:
    """What ``nnUNetv2_predict --save_probabilities`` leaves of each fold."""
    for member in MEMBERS:
        (folder / member).mkdir(parents=True)
        (folder / member / "dataset.json").write_text("{}")
        for name in names:
            found = probs(name, member, noise)
            np.savez_compressed(folder / member / f"{name}.npz", probabilities=found)
            (folder / member / f"{name}.pkl").write_bytes(b"never to be opened")
            save_nifti(folder / member / f"{name}.nii.gz", found.argmax(axis=0).astype(np.uint8))


def raters(folder: Path, names: list[str]) -> None:
    """A folder of NIfTI masks for each rater."""
    for rater in RATERS:
        for name in names:
            save_nifti(folder / rater / f"{name}.nii.gz", masks(name, rater))
