import pytest
import torch

from segue.models import views

IMAGE = torch.arange(24.0).reshape(1, 4, 6)
ALL = range(views.COUNT)


@pytest.mark.parametrize("view", ALL)
def test_a_view_is_undone_exactly(view):
    seen = views.seen(IMAGE, view)
    assert sorted(seen.shape[1:]) == [4, 6]
    assert torch.equal(views.undone(seen, view), IMAGE)


def test_the_views_are_eight_and_the_first_is_the_image():
    square = IMAGE[..., :4]
    seen = [views.seen(square, view) for view in ALL]
    assert torch.equal(seen[0], square)
    assert not any(torch.equal(seen[i], seen[j]) for i in ALL for j in range(i))


def test_they_are_the_symmetries_of_a_square():
    """Distances between any two pixels stay what they are."""
    where = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)).T.reshape(2, 3, 3)
    distances = torch.cdist(where.flatten(1).T, where.flatten(1).T)
    for view in ALL:
        turned = views.seen(where, view).flatten(1).T
        assert torch.equal(torch.cdist(turned, turned), distances)
