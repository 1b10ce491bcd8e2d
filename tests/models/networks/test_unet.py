from dataclasses import replace

import pytest
import torch

from segue.errors import InputError
from segue.models.networks import dropout
from segue.models.networks.layers import TimeEmbedding
from segue.models.networks.unet import Attention, Backbone, ResBlock

SMALL = Backbone(channels=[8, 12, 16], blocks=1, attention=2, heads=2, group_channels=4)


def test_output_has_the_image_s_size_and_starts_at_zero():
    network = SMALL(3, 5)
    out = network(torch.randn(2, 3, 16, 24))
    assert out.shape == (2, 5, 16, 24)
    assert torch.equal(out, torch.zeros_like(out))


@pytest.mark.parametrize("patch", [1, 2, 4])
def test_layers_work_on_patches_and_the_output_on_pixels(patch):
    size = replace(SMALL, patch=patch)
    network, features = size(3, 5), size(3, None)
    x = torch.randn(2, 3, 16, 32)
    assert features(x).shape == (2, 8, 16 // patch, 32 // patch)
    assert network(x).shape == (2, 5, 16, 32)
    assert size.encoder(3, 7)(x).shape == (2, 7)


def test_a_pixel_of_the_output_is_made_of_the_patch_that_it_lies_in():
    _, *last = replace(SMALL, patch=2).head(3)  # without the norm, which sees all pixels
    head = torch.nn.Sequential(*last)
    torch.nn.init.normal_(head[1].weight)
    features = torch.randn(1, 8, 4, 4)
    changed = features.clone()
    changed[..., 2, 1] += 5
    moved = (head(changed) != head(features)).any((0, 1))
    near = torch.zeros(8, 8, dtype=bool)
    near[2:8, 0:6] = True  # the patch itself and those beside it: a 3×3 convolution
    assert not moved[~near].any()
    assert moved[4:6, 2:4].all()


@pytest.mark.parametrize("channels", [[4, 6], [6, 12, 24], [10, 10]])
def test_any_even_width_of_at_least_four_has_its_norms(channels):
    network = Backbone(channels=channels, blocks=1, attention=0, heads=1, group_channels=4)(1, 2)
    assert network(torch.randn(1, 1, 8, 8)).shape == (1, 2, 8, 8)


def test_without_head_the_last_decoder_features_come_out():
    network = SMALL(1, None)
    assert network(torch.randn(2, 1, 16, 16)).shape == (2, network.width, 16, 16)
    assert network.width == 8


def test_time_changes_the_features_of_a_trained_network():
    network = SMALL(1, None, time=True)
    torch.manual_seed(0)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.2)
    x = torch.randn(1, 1, 16, 16)
    assert not torch.allclose(network(x, torch.tensor([0.1])), network(x, torch.tensor([0.9])))


def test_residual_block_and_attention_start_as_the_identity():
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(ResBlock(8, 8, SMALL, None)(x, None), x)
    assert torch.equal(Attention(8, SMALL)(x), x)


def test_attention_over_pixels_matches_its_definition():
    torch.manual_seed(0)
    layer = Attention(8, SMALL)
    torch.nn.init.normal_(layer.out.weight)
    x = torch.randn(2, 8, 3, 5)
    qkv = layer.qkv(layer.norm(x)).flatten(2)
    heads = []
    for h in range(2):
        q, k, v = (qkv[:, 8 * i + 4 * h : 8 * i + 4 * h + 4] for i in range(3))
        weights = (q.transpose(1, 2) @ k / 4**0.5).softmax(-1)
        heads.append(v @ weights.transpose(1, 2))
    expected = x + layer.out(torch.cat(heads, 1).reshape(2, 8, 3, 5))
    torch.testing.assert_close(layer(x), expected)


def test_time_embedding_is_sinusoidal_with_the_longest_period_last():
    embedding = TimeEmbedding(8, 4)
    expected = torch.tensor([10 ** (-i / 4) for i in range(4)])
    torch.testing.assert_close(embedding.frequencies, expected)


def test_an_encoder_has_the_middle_of_a_unet():
    encoder = SMALL.encoder(1, 12)
    assert encoder(torch.randn(2, 1, 16, 24)).shape == (2, 12)
    assert [type(layer) for layer in encoder.middle] == [ResBlock, Attention, ResBlock]
    for p in encoder.parameters():
        torch.nn.init.normal_(p, std=0.2)
    x = torch.randn(2, 1, 16, 16)
    before = encoder(x)
    torch.nn.init.zeros_(encoder.middle[1].out.weight)
    assert not torch.allclose(encoder(x), before)


@pytest.mark.parametrize(
    ("channels", "width", "expected"),
    [
        ([32, 64, 128, 256], 0.75, [32, 64, 96, 192]),  # of the published Prob. U-Net
        ([8, 16, 32], 0.75, [8, 16, 24]),
        ([8, 12, 16], 0.5, [4, 8, 8]),
        ([10, 100], 0.7, [10, 70]),
        ([8, 16], 1, [8, 16]),
        ([8, 16], 2, [16, 32]),
    ],
)
def test_scaled_widths_are_rounded_up_to_multiples_of_what_divides_all(channels, width, expected):
    size = Backbone(channels, 2, 1, 2, 4, dropout=0.1)
    assert size.scaled(width) == Backbone(expected, 2, 1, 2, 4, dropout=0.1)


@pytest.mark.parametrize(
    ("least", "channels", "groups"),
    [
        *((1, 32, 32), (1, 96, 32), (1, 256, 32), (1, 48, 16)),
        *((4, 32, 8), (4, 24, 4), (4, 256, 32), (4, 6, 1), (4, 7, 1), (8, 4, 1)),
    ],
)
def test_norms_have_as_many_groups_as_are_wide_enough_and_at_most_32(least, channels, groups):
    norm = Backbone([8], 1, 1, 1, least).norm(channels)
    assert (norm.num_groups, norm.num_channels) == (groups, channels)


def test_every_attention_has_the_same_number_of_heads():
    network = Backbone([8, 16, 32], 1, 2, 4, 4)(1, 2)
    assert [m.heads for m in network.modules() if isinstance(m, Attention)] == [4] * 7


def test_heads_that_cannot_share_the_channels_are_refused():
    with pytest.raises(InputError, match=r"network\.heads: .*found 3 for 16 channels"):
        Backbone([8, 16], 1, 1, 3, 4)(1, 2)


def test_dropout_trains_with_new_masks_and_keeps_the_mean():
    layer = dropout.ChannelDropout(4, 0.25)
    dropout.draw_from(layer, torch.Generator().manual_seed(0))
    out = layer(torch.ones(20000, 4, 1, 1))
    assert out.unique().tolist() == pytest.approx([0, 4 / 3])
    assert out.mean().item() == pytest.approx(1, abs=0.01)
    assert len(out.flatten(1).unique(dim=0)) == 16


def test_dropout_is_the_identity_in_evaluation_until_a_mask_is_frozen():
    layer = dropout.ChannelDropout(64, 0.5).eval()
    x = torch.randn(3, 64, 2, 2)
    assert torch.equal(layer(x), x)
    dropout.freeze(layer, 1)
    first = layer(x)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer(x[1:]), first[1:])
    dropout.freeze(layer, 2)
    assert not torch.equal(layer(x), first)


def test_every_residual_block_has_its_own_dropout_mask():
    network = Backbone([8, 8], 1, 1, 1, 4, dropout=0.5)(1, 2)
    blocks = sum(isinstance(m, ResBlock) for m in network.modules())
    assert dropout.count(network) == blocks
    dropout.freeze(network, 0)
    masks = {tuple(m.mask.tolist()) for m in network.modules() if hasattr(m, "mask")}
    assert len(masks) > blocks // 2


def test_a_dropout_without_a_generator_refuses_to_train():
    with pytest.raises(RuntimeError, match="generator"):
        dropout.ChannelDropout(4, 0.5)(torch.ones(1, 4, 1, 1))
