import pytest
import torch

from segue.models.noise import _drawn_by_torch, image_noise

CPU = torch.device("cpu")
both = pytest.mark.parametrize("noise_of", [image_noise, _drawn_by_torch])


@both
def test_noise_belongs_to_the_image_whatever_the_batch_and_is_new_at_each_call(noise_of):
    together = noise_of([3, 4, 5], CPU)
    first, second = together((2, 7)), together((4,))
    assert first.shape == (3, 2, 7)
    assert first.dtype == torch.float32
    for index, seed in enumerate([3, 4, 5]):
        alone = noise_of([seed], CPU)
        assert torch.equal(alone((2, 7))[0], first[index])
        assert torch.equal(alone((4,))[0], second[index])
    again = noise_of([3, 3], CPU)
    a, b = again((5,)), again((5,))
    assert torch.equal(a[0], a[1])
    assert not torch.equal(a, b)


@both
def test_noise_is_standard_normal(noise_of):
    drawn = noise_of([0, 1], CPU)((200_000,)).double()
    assert drawn.mean(1).abs().max() < 0.01
    assert (drawn.std(1) - 1).abs().max() < 0.01
    assert (drawn**4).mean(1).sub(3).abs().max() < 0.1
    assert (drawn[0] * drawn[1]).mean().abs() < 0.01
