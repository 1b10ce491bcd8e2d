"""Checkpoints are sealed: any change of their bytes is noticed, and equal ones are equal files."""

import io

import numpy as np
import pytest
import torch
from damage import disk_full_after, flip, zeroed

from segue.errors import InputError
from segue.models import checkpoint
from segue.models.checkpoint import Checkpoint


def some() -> Checkpoint:
    generator = torch.Generator().manual_seed(0)
    weights = {f"layer{i}.weight": torch.randn(8, 8, generator=generator) for i in range(3)}
    note = {"model": {"aleatoric": {"method": "softmax"}, "channels": 1}, "loss": [0.5, 1 / 3]}
    return Checkpoint(weights, torch.randn(2, 24, generator=generator), note)


def test_equal_content_is_equal_bytes_whatever_the_path(tmp_path):
    first, second = tmp_path / "a.pt", tmp_path / "far" / "b.pt"
    checkpoint.save(some(), first)
    checkpoint.save(checkpoint.load(first), second)
    assert first.read_bytes() == second.read_bytes()
    assert list(first.parent.glob(".*")) == []


def test_a_checkpoint_is_read_as_it_was_written_by_torch_too(tmp_path):
    checkpoint.save(some(), tmp_path / "a.pt")
    found = checkpoint.load(tmp_path / "a.pt")
    assert found.note == some().note
    plain = torch.load(tmp_path / "a.pt", weights_only=True)
    for name, weight in some().weights.items():
        assert torch.equal(found.weights[name], weight)
        assert torch.equal(plain["weights"][name], weight)
    assert torch.equal(plain["snapshots"], some().snapshots)


def test_any_damage_to_a_checkpoint_is_one_message_that_names_it(tmp_path):
    path = tmp_path / "a.pt"
    checkpoint.save(some(), path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    size = len(whole)
    bits = {*rng.integers(8 * size, size=300).tolist(), *range(8 * size - 8 * 100, 8 * size)}
    damaged = [flip(whole, bit) for bit in bits]
    damaged += [zeroed(whole, at) for at in range(0, size - 256, 256)]
    damaged += [whole[:at] for at in (0, 1, 70, 71, size // 2, size - 71, size - 1)]
    damaged += [whole + b"\0"]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.pt: is damaged.*remove it and train again"):
            checkpoint.load(path)


def test_a_file_without_a_seal_cannot_be_told_from_a_damaged_one(tmp_path):
    buffer = io.BytesIO()
    torch.save({"weights": {}, "snapshots": torch.zeros(0), "note": "{}"}, buffer)
    (tmp_path / "plain.pt").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match=r"plain\.pt: .*no checkpoint that Segue sealed"):
        checkpoint.load(tmp_path / "plain.pt")


def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.pt"
    checkpoint.save(some(), path)
    whole = path.read_bytes()
    with pytest.raises(OSError, match="File too large") as caught, disk_full_after(1000):
        checkpoint.save(some(), path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]
