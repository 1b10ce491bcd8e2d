import numpy as np
import pytest
import xarray as xr
from handmade import random_split, split_of, write_stores
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import entropy

from segue import blocks, dims, shards, store
from segue.errors import InputError
from segue.evaluation.decomposition import decompose
from segue.evaluation.maps import write_maps
from segue.evaluation.probabilities import probabilities
from segue.evaluation.tasks import leakage

SHAPES = hnp.array_shapes(min_dims=6, max_dims=6, max_side=3)
LOGITS = SHAPES.flatmap(lambda s: hnp.arrays(np.float32, s, elements=st.floats(-20, 20, width=32)))


def _softmax(logits):
    e = np.exp(logits - logits.max(axis=3, keepdims=True))
    return xr.DataArray(e / e.sum(axis=3, keepdims=True), dims=dims.SAMPLES)


def _pixel(*hypotheses):
    """Probabilities of one pixel: hypothesis -> sample -> class."""
    return xr.DataArray(np.array(hypotheses, np.float32)[None, ..., None, None], dims=dims.SAMPLES)


def _measures(probs):
    return decompose(probs).squeeze().values


LN2 = np.log(2)


@pytest.mark.parametrize(
    ("hypotheses", "expected"),
    [
        pytest.param([[[1, 0]], [[0, 1]]], (LN2, 0, LN2), id="two that are sure and differ"),
        pytest.param([[[0.5, 0.5]], [[0.5, 0.5]]], (LN2, LN2, 0), id="two that are unsure"),
        pytest.param([[[1, 0], [0, 1]]], (LN2, LN2, 0), id="draws of one hypothesis differ"),
        pytest.param(
            [[[1, 0, 0]], [[0, 1, 0]], [[0, 0, 1]]], (np.log(3), 0, np.log(3)), id="three"
        ),
        pytest.param([[[1, 0]]], (0, 0, 0), id="one certain sample"),
    ],
)
def test_known_decompositions(hypotheses, expected):
    np.testing.assert_allclose(_measures(_pixel(*hypotheses)), expected, atol=1e-6)


def test_it_is_the_entropy_of_scipy():
    probs = random_split("a", classes=3)["probs"].astype("float32")
    probs = probs / probs.sum("class")
    hypotheses = probs.values.mean(axis=2)
    total = entropy(hypotheses.mean(axis=1), axis=1)
    aleatoric = entropy(hypotheses, axis=2).mean(axis=1)
    found = decompose(probs)
    np.testing.assert_allclose(found.sel(measure="TU"), total, atol=1e-5)
    np.testing.assert_allclose(found.sel(measure="AU"), aleatoric, atol=1e-5)
    np.testing.assert_allclose(found.sel(measure="EU"), total - aleatoric, atol=1e-5)


@pytest.mark.parametrize("dtype", [bool, int, np.float16, np.float32, np.float64])
def test_it_does_not_matter_what_type_probabilities_have(dtype):
    found = decompose(_pixel([[1, 0], [0, 1]], [[0, 1], [0, 1]]).astype(dtype))
    assert found.dtype == np.result_type(dtype, np.float32)
    expected = [entropy([0.25, 0.75]), LN2 / 2, entropy([0.25, 0.75]) - LN2 / 2]
    np.testing.assert_allclose(found.squeeze(), expected, rtol=1e-6)


@given(LOGITS)
def test_measures_are_in_range_and_add_up(logits):
    total, aleatoric, epistemic = decompose(_softmax(logits)).transpose("measure", ...).values
    assert (epistemic >= 0).all()
    assert (epistemic <= total + 1e-5).all()
    assert (total <= np.log(logits.shape[3]) + 1e-5).all()
    np.testing.assert_allclose(total, aleatoric + epistemic, atol=1e-5)


@given(LOGITS, st.randoms(use_true_random=False))
def test_the_order_of_samples_and_hypotheses_does_not_matter(logits, random):
    probs = _softmax(logits)
    shuffled = {
        dim: random.sample(range(probs.sizes[dim]), probs.sizes[dim])
        for dim in ("eu_sample", "au_sample")
    }
    found = decompose(probs.isel(shuffled))
    np.testing.assert_allclose(found.values, decompose(probs).values, atol=1e-5)


@given(LOGITS)
def test_one_hypothesis_has_no_epistemic_uncertainty(logits):
    probs = _softmax(logits).isel(eu_sample=[0])
    assert not decompose(probs).sel(measure="EU").values.any()


@pytest.mark.parametrize("none_roles", ["strict", "samples_as_hypotheses"])
@pytest.mark.parametrize("working", [1, 2**25], ids=["one image at a time", "all at once"])
def test_the_stage_writes_the_maps_of_every_split(tmp_path, monkeypatch, none_roles, working):
    monkeypatch.setattr(blocks, "_WORKING", working)
    splits = {name: random_split(name, images=5, classes=3) for name in ("val", "id")}
    paths = write_stores(tmp_path, splits)
    write_maps(tmp_path / "maps.zarr", **paths, none_roles=none_roles, options={})
    assert store.splits(tmp_path / "maps.zarr") == ["id", "val"]
    for name, split in splits.items():
        probs = probabilities(split["probs"])
        found = store.open_split(tmp_path / "maps.zarr", name)
        assert list(found["measure"].values) == ["TU", "AU", "EU"]
        assert found["uncertainty"].dims == dims.UNCERTAINTY
        assert found["prediction"].dims == dims.PREDICTION
        assert {str(array.dtype) for array in found.values()} == {"float32"}
        np.testing.assert_allclose(found["uncertainty"], decompose(probs), atol=1e-6)
        mean = probs.mean(("eu_sample", "au_sample"))
        np.testing.assert_allclose(found["prediction"], mean, atol=1e-6)


def test_samples_of_a_single_hypothesis_are_taken_as_hypotheses_if_so_asked(tmp_path):
    split = random_split("id", hypotheses=1, draws=4)
    paths = write_stores(tmp_path, {"id": split})
    maps = {}
    for roles in ("strict", "samples_as_hypotheses"):
        write_maps(tmp_path / f"{roles}.zarr", **paths, none_roles=roles, options={})
        found = store.open_split(tmp_path / f"{roles}.zarr", "id")["uncertainty"]
        maps[roles] = {m: found.sel(measure=m).values for m in dims.MEASURES}
    probs = probabilities(split["probs"]).values[:, 0]
    entropies = entropy(probs, axis=2).mean(axis=1)
    np.testing.assert_allclose(maps["samples_as_hypotheses"]["AU"], entropies, atol=1e-5)
    np.testing.assert_allclose(maps["samples_as_hypotheses"]["TU"], maps["strict"]["TU"], atol=1e-6)
    np.testing.assert_array_equal(maps["strict"]["EU"], 0)
    assert maps["samples_as_hypotheses"]["EU"].max() > 0.01


def test_maps_do_not_depend_on_how_samples_are_chunked(tmp_path):
    splits = {"id": random_split("id", images=7)}
    found = []
    for chunk in (2, 7):
        paths = write_stores(tmp_path / str(chunk), splits, chunk=chunk)
        write_maps(tmp_path / f"{chunk}.zarr", **paths, none_roles="strict", options={})
        found.append(store.open_split(tmp_path / f"{chunk}.zarr", "id").load())
    xr.testing.assert_allclose(*found, atol=1e-7)


class _Written:
    """An array that notes how many images are written to it at a time."""

    def __init__(self, array, noted):
        self.array, self.noted = array, noted

    def __setitem__(self, images, values):
        self.noted.append(len(values))
        self.array[images] = values


@pytest.mark.parametrize("chunk", [2, 4, 7, 12])
@pytest.mark.parametrize("size", [1, 4])
def test_no_more_images_wait_to_be_written_than_a_file_holds(tmp_path, monkeypatch, chunk, size):
    split = random_split("id", images=30)
    values = sum(split[name].size for name in ("probs", "labels")) / 30
    monkeypatch.setattr(blocks, "_WORKING", 4 * size * values)
    monkeypatch.setattr(shards, "BYTES", 4000)  # eight images
    paths = write_stores(tmp_path, {"id": split}, chunk=chunk)
    create, noted = store.create, []
    monkeypatch.setattr(
        store, "create", lambda *args, **more: _Written(create(*args, **more), noted)
    )
    write_maps(tmp_path / "maps.zarr", **paths, none_roles="strict", options={})
    assert sum(noted) == 30 * 3
    assert max(noted) <= 8


@pytest.mark.parametrize("wrong", [np.nan, 0.0], ids=["not a number", "no probability at all"])
def test_samples_that_are_no_probabilities_are_refused_by_name(tmp_path, wrong):
    probs = np.full((4, 1, 1, 2, 3, 3), 0.5, np.float16)
    probs[2, ..., 1, 1] = wrong
    labels = np.zeros((4, 1, 3, 3))
    paths = write_stores(tmp_path, {"id": split_of(labels, probs)})
    with (
        pytest.raises(InputError, match=r"samples.zarr/id/probs: expected class probabilities"),
        np.errstate(invalid="ignore"),
    ):
        write_maps(tmp_path / "maps.zarr", **paths, none_roles="strict", options={})
    assert not (tmp_path / "maps.zarr").exists()


def test_two_tasks_may_not_take_arrays_of_one_name(tmp_path, monkeypatch):
    paths = write_stores(tmp_path, {"id": random_split("id")})
    options = {"segmentation": {}, "leakage": {"draws": [1], "hypotheses": [1]}}
    monkeypatch.setattr(leakage, "summarise", lambda *_, **__: {"sample_masks": None})
    with pytest.raises(InputError, match=r"scores.leakage: .* another array 'sample_masks'"):
        write_maps(tmp_path / "maps.zarr", **paths, none_roles="strict", options=options)
    assert not (tmp_path / "maps.zarr").exists()


@pytest.mark.parametrize("side", [8, 9])
def test_masks_are_kept_as_bits(tmp_path, side):
    split = random_split("id", images=3, classes=3, side=side)
    paths = write_stores(tmp_path, {"id": split})
    options = {"segmentation": {}}
    write_maps(tmp_path / "maps.zarr", **paths, none_roles="strict", options=options)
    found = store.open_split(tmp_path / "maps.zarr", "id")
    probs = split["probs"].values
    means = probabilities(split["probs"]).mean("au_sample").values
    for name, masks in (
        ("sample_masks", probs.argmax(axis=3)),
        ("hypothesis_masks", means.argmax(axis=2)),
    ):
        bits = found[name].values
        assert bits.dtype == np.uint64
        flags = np.unpackbits(bits.view(np.uint8), axis=-1)[..., : side**2]
        of_class = np.moveaxis(np.stack([masks == 1, masks == 2]), 0, 1)
        np.testing.assert_array_equal(flags, of_class.reshape(flags.shape))


def test_samples_without_a_split_are_refused(tmp_path):
    paths = write_stores(tmp_path, {"train": random_split("train")})
    with pytest.raises(InputError, match=r"samples.zarr: expected splits val, id or ood_"):
        write_maps(tmp_path / "maps.zarr", **paths, none_roles="strict", options={})


def test_a_small_epistemic_uncertainty_is_not_lost_in_rounding():
    """EU = E[(p_e - p̄)²]/(2·p̄·q̄), about 1e-8 nats here: less than what float32 tells of TU."""
    rng = np.random.default_rng(0)
    p = (0.3 + 1e-4 * rng.standard_normal((50, 5, 1))).astype(np.float32)
    probs = np.stack([1 - p, p], axis=3)[..., None, None]
    found = decompose(xr.DataArray(probs, dims=dims.SAMPLES)).sel(measure="EU").values.ravel()
    expected = p.astype(float)[..., 0].var(axis=1) / (2 * 0.3 * 0.7)
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_an_unknown_role_is_refused(tmp_path):
    paths = write_stores(tmp_path, {"id": random_split("id")})
    with pytest.raises(InputError, match="none_roles: expected one of"):
        write_maps(tmp_path / "maps.zarr", **paths, none_roles="no", options={})
    assert not (tmp_path / "maps.zarr").exists()
