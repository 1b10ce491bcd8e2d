"""bfloat16 on a GPU where it pays, float32 where its 8 bits would be seen.

On a GPU, autocast takes convolutions, linear layers and attention to bfloat16. Norms, softmax and
losses stay in float32 there; what else has to stay says so by ``full``. On the CPU all is float32.
"""

import contextlib

import torch


def autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """bfloat16 where it pays: convolutions and products on a GPU."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def full(device: torch.device) -> contextlib.AbstractContextManager:
    """Undo ``autocast``: what float32 comes in is reckoned with as it is."""
    if not torch.amp.is_autocast_available(device.type):
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)
