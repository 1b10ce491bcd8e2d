"""Last-layer Laplace approximation (Daxberger et al., NeurIPS 2021; Kristiadi et al., ICML 2020).

https://arxiv.org/abs/2106.14806. The weights of the last convolution are N(θ*, (H + δI)⁻¹): θ* the
trained ones, H the generalised Gauss-Newton matrix of the negative log-likelihood of all labelled
training pixels, δ the precision of the prior. All other weights are as they were trained, and no
training is needed. H is the full matrix. It does not depend on the labels, only on which there are:
of a pixel with inputs φ and class probabilities p it is (diag(p) − ppᵀ) ⊗ φφᵀ.

The likelihood is that of a softmax over the last convolution's outputs, so the AU model has to be
one with one prediction: an SSN's, a diffusion's or a Prob. U-Net's likelihood is another function
of several layers, which have draws between them, and other models are refused.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segue.dims import UNLABELLED
from segue.errors import InputError
from segue.models.checkpoint import Checkpoint
from segue.models.noise import image_noise
from segue.seeds import derive

NEEDS = {"data": True, "deterministic": True}
TEST_OPTIONS = {"prior_precision": 1.0}

Data = Callable[[], Iterator[tuple[Tensor, Tensor]]]

_STEPS = 1000  # of the iteration for the precision, at most


def hypotheses(
    model: nn.Module,
    checkpoints: Sequence[Checkpoint],
    n: int,
    seed: int,
    data: Data,
    *,
    prior_precision: float | None,
) -> Iterator[nn.Module]:
    """Yield ``model`` with one draw of its last convolution after another (``model`` is changed).

    Args:
        data: gives the training images and labels, in batches, when it is called.
        prior_precision: δ; None for the one with the greatest marginal likelihood, ``evidence``.

    Raises:
        InputError: the precision is not above 0, or the last convolution's outputs are not what the
            model takes the softmax of.
    """
    if prior_precision is not None and prior_precision <= 0:
        raise InputError(
            f"epistemic method laplace: prior_precision: expected a number above 0, or null, found "
            f"{prior_precision}"
        )
    model.load_state_dict(checkpoints[0].weights)
    layer = _last(model.eval())
    curvature = gauss_newton(model, layer, data()).cpu()
    groups = len(curvature)
    mean = _gather(layer, groups)
    values, vectors = torch.linalg.eigh(curvature)
    values = values.clamp(min=0)  # it has none below, but for rounding
    precision = prior_precision or evidence(values, mean)
    if not 0 < precision < math.inf:
        raise InputError(
            f"epistemic method laplace: the prior's precision of the greatest marginal likelihood "
            f"is {precision}; give one by `prior_precision`"
        )
    for index in range(n):
        generator = torch.Generator().manual_seed(derive(seed, "draw", index))
        normal = torch.randn(values.shape, generator=generator, dtype=torch.float64)
        step = vectors @ (normal / (values + precision).sqrt())[..., None]
        _scatter(mean + step[..., 0], layer)
        yield model


def gauss_newton(
    model: nn.Module, layer: nn.Conv2d, batches: Iterator[tuple[Tensor, Tensor]]
) -> Tensor:
    """H of the last convolution, (group, parameter, parameter) float64.

    Where the model works on patches, the layer has outputs for each of a patch's pixels. Those of
    different pixels share no parameter, so H is zero between these groups; one pixel, one group.
    The parameters of a group are (class, input), the last input being the bias.

    Args:
        model: in evaluation; ``sample`` gives the softmax of the layer's outputs.
        batches: images (image, channel, y, x) and labels (image, y, x).

    Raises:
        InputError: the outputs are not those of the softmax.
    """
    total: Tensor | None = None
    for image, label in batches:
        inputs, outputs, probs = _run(model, layer, image)
        patch = image.shape[-1] // outputs.shape[-1]
        classes = probs.shape[1]
        if outputs.shape[1] != classes * patch**2 or not torch.allclose(
            F.pixel_shuffle(outputs, patch).softmax(1), probs, atol=1e-4
        ):
            raise InputError(
                "epistemic method laplace: the model's prediction is not the softmax of its last "
                "convolution; take its cells into `not_applicable`"
            )
        phi = _inputs(layer, inputs)  # (place, input)
        there = (label != UNLABELLED)[:, None].double()
        # (class, group, place), as are the layer's outputs
        p = _by_group(probs.double(), patch)
        counts = _by_group(there, patch)
        if total is None:
            size = classes * phi.shape[1]
            total = phi.new_zeros(patch**2, classes, phi.shape[1], classes, phi.shape[1])
        for group in range(patch**2):
            for a in range(classes):
                for b in range(a + 1):
                    weight = p[a, group] * (float(a == b) - p[b, group]) * counts[0, group]
                    block = phi.T @ (weight[:, None] * phi)
                    total[group, a, :, b] += block
                    if a != b:
                        total[group, b, :, a] += block
    return total.reshape(len(total), size, size)


def evidence(values: Tensor, mean: Tensor) -> float:
    """The prior's precision δ of the greatest marginal likelihood of the Laplace approximation.

    δ = γ / ‖θ*‖² with γ = Σ h / (h + δ), the number of parameters that the data determine (MacKay,
    Neural Computation 1992, "Bayesian interpolation").

    Args:
        values: eigenvalues h of H.
        mean: θ*, of as many elements.
    """
    square, precision = mean.square().sum(), 1.0
    for _ in range(_STEPS):
        before, precision = precision, float((values / (values + precision)).sum() / square)
        if abs(precision - before) <= 1e-9 * before:
            break
    return precision


def _last(model: nn.Module) -> nn.Conv2d:
    """The last convolution of a model, which has to be a plain one."""
    *_, layer = [None, *(each for each in model.modules() if isinstance(each, nn.Conv2d))]
    if layer is None or layer.groups > 1 or layer.bias is None or isinstance(layer.padding, str):
        raise InputError(
            "epistemic method laplace: needs a last convolution of one group, with bias and a "
            "padding in pixels; take its cells into `not_applicable`"
        )
    return layer


def _run(model: nn.Module, layer: nn.Conv2d, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What goes into the layer and comes out, and class probabilities (image, class, y, x)."""
    seen = []
    hook = layer.register_forward_hook(lambda _, inputs, output: seen.append((*inputs, output)))
    try:
        with torch.no_grad():
            probs = model.sample(image, 1, image_noise([0] * len(image), image.device))
    finally:
        hook.remove()
    inputs, outputs = seen[-1]
    return inputs, outputs, probs[:, 0]


def _inputs(layer: nn.Conv2d, image: Tensor) -> Tensor:
    """What each output of a convolution is a product with, and 1: (place, input) float64."""
    unfolded = F.unfold(image, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    phi = unfolded.transpose(1, 2).flatten(0, 1).double()
    return torch.cat([phi, torch.ones_like(phi[:, :1])], dim=1)


def _by_group(pixels: Tensor, patch: int) -> Tensor:
    """(image, class, y, x) as (class, group, place)."""
    channels = F.pixel_unshuffle(pixels, patch).flatten(2)
    return channels.unflatten(1, (-1, patch**2)).permute(1, 2, 0, 3).flatten(2)


def _gather(layer: nn.Conv2d, groups: int) -> Tensor:
    """Weights and bias as (group, parameter) float64, on the CPU."""
    rows = torch.cat([layer.weight.detach().flatten(1), layer.bias.detach()[:, None]], dim=1)
    return rows.cpu().double().unflatten(0, (-1, groups)).transpose(0, 1).flatten(1)


def _scatter(parameters: Tensor, layer: nn.Conv2d) -> None:
    """Write (group, parameter), as ``_gather`` gives it, into the layer."""
    inputs = layer.weight[0].numel() + 1
    rows = parameters.unflatten(1, (-1, inputs)).transpose(0, 1).flatten(0, 1)
    with torch.no_grad():
        layer.weight.copy_(rows[:, :-1].reshape(layer.weight.shape))
        layer.bias.copy_(rows[:, -1])
