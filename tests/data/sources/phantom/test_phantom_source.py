"""The source phantom: its raters follow its truth, and its knobs do what they say."""

import numpy as np
import pytest
from scipy.special import entr

from segue import store
from segue.data.prepare import prepare
from segue.data.sources import phantom
from segue.data.sources.phantom import Item, scene
from segue.errors import InputError

SMALL = {"train": 12, "val": 3, "id": 6}
READ = {"seed": 0, "side": 32, "raters": 4, "ambiguity": 1.0, "gap": (0.0, 0.0)}


def entropy(truth: np.ndarray) -> np.ndarray:
    return entr(truth.astype(float)).sum(axis=-3)


@pytest.mark.parametrize(
    "item",
    [
        Item("train", 0),
        Item("train", 7),
        Item("id", 3, "shape", 1.0),
        Item("id", 3, "rim", 0.5),
        Item("id", 3, "faint", 1.0),
    ],
)
def test_raters_mark_each_pixel_as_often_as_the_truth_says(item):
    draws = 4000
    sample = phantom.read(item, **{**READ, "raters": draws})
    p = sample.truth[1].astype(float)
    frequency = sample.labels.mean(axis=0)
    error = np.sqrt(p * (1 - p) / draws)
    # Of 1,024 pixels that hang together none is 4.5 standard errors off (chance below .01); where
    # p is nearly 0 or 1 the frequency is no Gaussian, and one rater more or less counts.
    assert (np.abs(frequency - p) <= 4.5 * error + 2 / draws).all()
    assert abs(((frequency - p)[error > 0.002] / error[error > 0.002]).mean()) < 1.5


def test_truth_of_one_object_is_presence_times_the_gaussian_of_its_distance():
    found = scene.objects((0, "any"), side=32, ambiguity=1.0, gap=(0.0, 0.0))
    one = scene.Objects(*(each[..., :1] for each in found))
    still = one._replace(
        y=np.array([16.0]),
        x=np.array([16.0]),
        radius=np.array([5.0]),
        waves=np.zeros((2, 3, 1)),
        softness=np.array([2.0]),
        presence=np.array([0.5]),
    )
    truth = scene.truth(still, 32)
    assert truth[1, 16, 21] == pytest.approx(0.25)  # on the border
    assert truth[1, 16, 23] == pytest.approx(0.5 * 0.158655, abs=1e-5)  # a softness outside
    square = scene.truth(still._replace(squareness=np.ones(1), turn=np.zeros(1)), 32)
    assert square[1, 16, 16] == pytest.approx(0.5 * 0.987776, abs=1e-5)  # 4.5 pixels inside
    np.testing.assert_allclose(square[1, 12:21, 16], square[1, 16, 12:21], atol=1e-6)


def test_a_smaller_number_of_images_and_raters_is_the_beginning_of_a_larger():
    few = phantom.open_source(seed=0, images=SMALL, raters=2)
    many = phantom.open_source(seed=0, images={"train": 20, "val": 5, "id": 9}, raters=5)
    assert few.splits.keys() == many.splits.keys()
    for name, items in few.splits.items():
        assert many.splits[name][: len(items)] == items
    a, b = few.read(few.splits["id"][1]), many.read(many.splits["id"][1])
    assert np.array_equal(a.image, b.image)
    assert np.array_equal(a.labels, b.labels[:2])
    assert not np.array_equal(b.labels[0], b.labels[2])


def test_seeds_splits_and_numbers_have_images_of_their_own():
    images = [
        phantom.read(item, **{**READ, "seed": seed}).image.tobytes()
        for item in (Item("train", 0), Item("train", 1), Item("val", 0), Item("id", 0))
        for seed in (0, 1)
    ]
    assert len(set(images)) == 8


def test_without_ambiguity_raters_agree_and_the_scene_stays():
    full, none = (
        [phantom.read(Item("id", i), **{**READ, "ambiguity": a}) for i in range(20)]
        for a in (1.0, 0.0)
    )
    h = [np.mean([entropy(each.truth).mean() for each in samples]) for samples in (full, none)]
    assert h[1] < 0.2 * h[0]
    disagreement = [np.mean([each.labels.var(axis=0).mean() for each in s]) for s in (full, none)]
    assert disagreement[1] < 0.2 * disagreement[0]
    assert all(each.labels.any(axis=(1, 2)).all() for each in none)
    for a, b in zip(full, none, strict=True):  # where a border was, it still is
        assert np.corrcoef(a.truth[1].ravel(), b.truth[1].ravel())[0, 1] > 0.7


def test_a_gap_takes_its_softness_from_train_alone():
    def levels(stream: str) -> np.ndarray:
        found = []
        for i in range(300):
            gap = {"train": (0.3, 0.6)}.get(stream, (0.0, 0.0))
            objects = scene.objects((0, "phantom", stream, i), side=32, ambiguity=1.0, gap=gap)
            found.append(objects.levels[0])
        return np.concatenate(found)

    train, val = levels("train"), levels("val")
    assert not ((train > 0.3) & (train < 0.6)).any()
    assert ((val > 0.3) & (val < 0.6)).mean() == pytest.approx(0.3, abs=0.07)
    assert (train < 0.3).mean() == pytest.approx(0.3 / 0.7, abs=0.07)
    source = phantom.open_source(seed=0, images=SMALL, gap=[0.3, 0.6])
    for item in source.splits["train"] + source.splits["val"]:
        objects = scene.objects(
            (0, "phantom", item.stream, item.number),
            side=32,
            ambiguity=1.0,
            gap=(0.3, 0.6) if item.stream == "train" else (0.0, 0.0),
        )
        found = source.read(item).coordinates["softness"]
        assert found == pytest.approx(objects.softness.max())


def test_shifts_change_what_they_name_and_nothing_else():
    whole = phantom.open_source(seed=0, images=SMALL)
    assert list(whole.splits) == ["train", "val", "id", "ood_shape", "ood_rim", "ood_faint"]
    clean = [whole.read(item) for item in whole.splits["id"]]
    for name in ("ood_shape", "ood_rim", "ood_faint"):
        for before, item in zip(clean, whole.splits[name], strict=True):
            after = whole.read(item)
            assert after.coordinates["name"] == before.coordinates["name"]
            assert after.coordinates["objects"] == before.coordinates["objects"]
            assert not np.array_equal(after.image, before.image)
            softness, presence = (
                after.coordinates[key] - before.coordinates[key] for key in ("softness", "presence")
            )
            assert (softness > 0) == (name == "ood_rim")
            assert (presence < 0) == (name == "ood_faint")


def test_a_shift_grows_with_its_strength_and_is_named_by_it():
    source = phantom.open_source(seed=0, images=SMALL, shifts={"rim": [0.25, 0.5, 1.0]})
    assert list(source.splits)[3:] == ["ood_rim_25", "ood_rim_50", "ood_rim"]
    clean = source.read(source.splits["id"][0]).coordinates["softness"]
    softness = [
        source.read(source.splits[name][0]).coordinates["softness"]
        for name in ("ood_rim_25", "ood_rim_50", "ood_rim")
    ]
    steps = np.diff([clean, *softness])
    assert (steps > 0).all()
    assert softness[1] - clean == pytest.approx((softness[2] - clean) / 2, rel=0.2)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_store_has_the_truth_and_images_on_their_own_scale(tmp_path, threads):
    out = tmp_path / "dataset.zarr"
    prepare(out, source="phantom", options={"images": SMALL}, seed=3, threads=threads)
    source = phantom.open_source(seed=3, images=SMALL)
    for name in store.splits(out):
        split = store.open_split(out, name)
        assert split["truth"].dims == ("image", "class", "y", "x")
        for i, item in enumerate(source.splits[name]):
            sample = source.read(item)
            np.testing.assert_array_equal(split["truth"][i].values, sample.truth)
            np.testing.assert_array_equal(split["image"][i].values, sample.image)
            np.testing.assert_array_equal(split["labels"][i].values, sample.labels)
    spread = store.open_split(out, "ood_faint")["image"].std(("channel", "y", "x"))
    assert spread.mean() < 0.8 * float(store.open_split(out, "id")["image"].std())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"side": 8}, "phantom: side: expected at least 16 pixels, found 8"),
        ({"raters": 0}, "phantom: raters: expected at least 1"),
        ({"ambiguity": 1.5}, "phantom: ambiguity: expected 0 to 1, found 1.5"),
        ({"gap": [0.5, 0.2]}, "phantom: gap: expected low and high"),
        ({"gap": [0.0, 1.0]}, "phantom: gap: expected low and high"),
        ({"images": {"ood": 3}}, "phantom: images: no split 'ood'; there are: train, val, id"),
        ({"images": {"id": 0}}, r"phantom: images\.id: expected at least 1, found 0"),
        ({"shifts": {"blur": [1.0]}}, "phantom: shifts: no 'blur'; there are: shape, rim, faint"),
        ({"shifts": {"rim": [0.0]}}, r"phantom: shifts\.rim: expected different strengths"),
        *(
            ({"shifts": {"rim": strengths}}, r"phantom: shifts\.rim: expected different strengths")
            for strengths in ([0.5, 0.501], [0.996], [1.004], [0.006], [0.5, 0.5], [])
        ),
    ],
)
def test_options_out_of_range_are_refused_by_name(options, message):
    with pytest.raises(InputError, match=message):
        phantom.open_source(seed=0, **options)
