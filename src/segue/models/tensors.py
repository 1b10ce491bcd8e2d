"""Tensors in files of PyTorch, as arrays; nothing in such a file is run."""

from pathlib import Path

import numpy as np
import torch


def load(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a ``.pt`` file by name; one without a name has the name ``""``.

    They are mapped, not read, where the file is of ``torch.save`` as it has been since 1.6.
    """
    found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    named = found if isinstance(found, dict) else {"": found}
    return {str(k): _array(v) for k, v in named.items() if isinstance(v, torch.Tensor)}


def _array(tensor: torch.Tensor) -> np.ndarray:
    """NumPy has no bfloat16."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
