from hypothesis import given, settings
from hypothesis import strategies as st

from segue.seeds import derive, rng

labels = st.lists(st.one_of(st.integers(-1000, 1000), st.text(max_size=5)), max_size=4)


@settings(max_examples=50)
@given(st.integers(0, 2**40), labels, labels)
def test_seeds_are_equal_exactly_for_equal_labels(seed, a, b):
    assert (derive(seed, *a) == derive(seed, *b)) == (a == b)


@given(st.integers(), labels)
def test_seeds_fit_every_generator(seed, a):
    assert 0 <= derive(seed, *a) < 2**63


def test_a_number_and_its_text_are_different_labels():
    assert derive(0, 1) != derive(0, "1")


def test_labels_do_not_run_together():
    assert derive(0, "ab", "c") != derive(0, "a", "bc")


def test_a_seed_is_half_the_first_eight_bytes_of_the_digest_of_its_labels():
    # printf '[0, "train", "a", 3]' | sha256sum begins with 03bae469b789e100
    assert derive(0, "train", "a", 3) == 0x03BAE469B789E100 // 2
    assert rng(0, "train", "a", 3).integers(2**60) == rng(0, "train", "a", 3).integers(2**60)
