import pytest
import torch
from torch import nn

from segue.errors import InputError
from segue.models.checkpoint import Checkpoint, flatten
from segue.models.epistemic.snapshots import hypotheses


def found(n):
    model = nn.Linear(2, 1)
    snapshots = torch.arange(12.0).reshape(4, 3)
    each = hypotheses(model, [Checkpoint(model.state_dict(), snapshots, {})], n, 0)
    return [flatten(m).tolist() for m in each]


def test_hypotheses_are_the_last_snapshots_oldest_first():
    assert found(4) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert found(2) == [[6, 7, 8], [9, 10, 11]]


def test_there_are_no_more_than_snapshots():
    with pytest.raises(InputError, match="5 hypotheses of 4 snapshots"):
        found(5)
