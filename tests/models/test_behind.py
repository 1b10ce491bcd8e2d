import threading

import numpy as np
import pytest

from segue.models.behind import writer


class Slow(dict):
    """An array each of whose writes waits until it is let through."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Semaphore(0)

    def __setitem__(self, place, values):
        assert self.gate.acquire(timeout=30)
        super().__setitem__(place, values.tolist())


class Full(dict):
    """An array on a full disk."""

    tried = 0

    def __setitem__(self, place, values):
        self.tried += 1
        raise OSError(28, "No space left on device")


def fill(array, number, then=lambda: None):
    """Write so many results, and do something else before they need be written."""
    with writer() as write:
        for place in range(number):
            write(array, (place,), lambda: np.zeros(1))
        then()


def test_results_are_written_in_order_while_others_are_computed():
    array = Slow()
    with writer() as write:
        write(array, (0,), lambda: np.array([1.0]))
        write(array, (1,), lambda: np.array([2.0]))  # returns though nothing is written yet
        assert not array
        array.gate.release(3)
        write(array, (2,), lambda: np.array([3.0]))
    assert list(array.items()) == [((0,), [1.0]), ((1,), [2.0]), ((2,), [3.0])]


def test_no_more_than_two_wait():
    array, passed = Slow(), threading.Event()
    with writer() as write:

        def compute():
            for place in range(3):
                write(array, (place,), lambda: np.zeros(1))
            passed.set()

        thread = threading.Thread(target=compute)
        thread.start()
        assert not passed.wait(0.3)
        array.gate.release()
        assert passed.wait(30)
        array.gate.release(2)
        thread.join()
    assert len(array) == 3


def test_what_is_computed_is_written_also_when_the_block_fails():
    array = Slow()

    def killed():
        array.gate.release(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(array, 2, then=killed)
    assert len(array) == 2


def test_an_error_of_the_disk_ends_the_block():
    with pytest.raises(OSError, match="No space left"):
        fill(Full(), 1)


def test_an_error_of_the_disk_ends_the_computing_long_before_all_is_done():
    array = Full()
    with pytest.raises(OSError, match="No space left"):
        fill(array, 100)
    assert array.tried <= 3
