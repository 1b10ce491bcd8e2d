"""Images of any shape and their masks, as they come out of ``prepare``."""

import logging

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from own_images import SPLITS, opened, pixels, samples, save, table, truth, write
from PIL import Image

from segue import store
from segue.data.prepare import prepare
from segue.errors import InputError

UNLABELLED = 255


def _with(root, change, names=None):
    """A folder whose image files ``change(path, number)`` has written anew."""
    rows = write(root, names)
    for number, row in enumerate(rows):
        change(root / row["image"], number)
    table(root, rows)


def test_pictures_of_jpeg_are_read_as_they_decode(tmp_path):
    names = [f"{i}.jpg" for i in range(len(SPLITS))]
    _with(tmp_path, lambda path, i: Image.fromarray(pixels(i)).save(path, quality=95), names)
    for name, sample in samples(opened(tmp_path)).items():
        assert_array_equal(sample.image[0], np.asarray(Image.open(tmp_path / name)))


def test_large_integers_and_small_numbers_keep_their_contrast(tmp_path):
    names = [f"{i}.npy" for i in range(len(SPLITS))]
    units = [2.0**40, 1e-9, 1e6, 1.0, 2**31, 1e-130]

    def write_one(path, i):
        np.save(path, pixels(i).astype(np.int64) + 2**40 if i == 4 else pixels(i) * units[i])

    _with(tmp_path, write_one, names)
    prepare(tmp_path / "x.zarr", source="folder", options=_options(tmp_path), seed=0, threads=1)
    for number, split in enumerate(SPLITS):
        stored = store.open_split(tmp_path / "x.zarr", split)
        image = stored["image"].values[list(stored["name"].values).index(names[number])]
        plain = pixels(number).astype(float)
        assert_allclose(image[0], (plain - plain.mean()) / plain.std(), atol=2e-5)


def _options(root, **more):
    return {"path": str(root), "classes": ["background", "lesion"], **more}


def test_numbers_that_cannot_be_squared_are_refused(tmp_path):
    names = [f"{i}.npy" for i in range(len(SPLITS))]
    _with(tmp_path, lambda path, i: np.save(path, pixels(i) * (1e200 if i == 2 else 1)), names)
    with pytest.raises(InputError, match=r"train, 2\.npy: values up to 1.*e\+202, too large"):
        prepare(tmp_path / "x.zarr", source="folder", options=_options(tmp_path), seed=0, threads=1)


def test_an_image_that_varies_by_rounding_alone_is_constant(tmp_path):
    names = [f"{i}.npy" for i in range(len(SPLITS))]
    tiny = 1 + np.finfo(float).eps * truth(1, 1)
    _with(tmp_path, lambda path, i: np.save(path, tiny if i == 1 else pixels(i)), names)
    prepare(tmp_path / "x.zarr", source="folder", options=_options(tmp_path), seed=0, threads=1)
    stored = store.open_split(tmp_path / "x.zarr", "train")
    assert abs(stored["image"].values[1]).max() < 1e-12


def test_grey_and_colour_may_mix_where_the_colours_are_greys(tmp_path):
    def grey_or_rgb(path, i, last=0):
        colours = np.stack([pixels(i), pixels(i), pixels(i) + np.uint8(last)], -1)
        Image.fromarray(colours if i % 2 else pixels(i)).save(path)

    _with(tmp_path, grey_or_rgb)
    for number, sample in enumerate(samples(opened(tmp_path)).values()):
        assert_array_equal(sample.image, pixels(number)[None])
    _with(tmp_path, lambda path, i: grey_or_rgb(path, i, last=1))
    with pytest.raises(InputError, match=r"line 3: 1\.png has 3 channels, 0\.png \(line 2\) 1"):
        opened(tmp_path)
    _with(tmp_path, lambda path, i: Image.fromarray(pixels(i)).convert("RGB").save(path))
    assert opened(tmp_path).channels == 3


@pytest.mark.parametrize("channels", [1, 2, 5, 12])
@pytest.mark.parametrize("last", [True, False])
def test_the_axes_of_an_array_are_told_apart_or_asked_for(tmp_path, channels, last):
    names = [f"{i}.npy" for i in range(len(SPLITS))]

    def write_one(path, i):
        scaled = pixels(i) * np.arange(1, channels + 1)[:, None, None]
        np.save(path, np.moveaxis(scaled, 0, -1) if last else scaled)

    _with(tmp_path, write_one, names)
    options = {"axes": "yxc" if last else "cyx"} if channels == 12 else {}
    if options:  # as many channels as pixels a side
        with pytest.raises(InputError, match=r"may be either .* say axes: cyx or axes: yxc"):
            opened(tmp_path)
    for number, sample in enumerate(samples(opened(tmp_path, **options)).values()):
        expected = pixels(number) * np.arange(1.0, channels + 1)[:, None, None]
        assert_array_equal(sample.image, expected)


def test_an_orientation_turns_image_and_mask(tmp_path, caplog):
    exif = Image.Exif()
    exif[274] = 6  # to be shown turned clockwise

    def turned(path, i):
        Image.fromarray(np.rot90(pixels(i)).copy()).save(path, exif=exif)

    with caplog.at_level(logging.INFO):
        _with(tmp_path, turned)
        for number, sample in enumerate(samples(opened(tmp_path)).values()):
            assert_array_equal(sample.image, pixels(number)[None])
    assert "6 images turned as their EXIF orientation says" in caplog.text


def test_a_mask_of_the_unturned_image_is_refused(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    rows = write(tmp_path)
    Image.fromarray(pixels(2)[:8]).save(tmp_path / "2.png", exif=exif)
    for column in ("rater_1", "rater_2"):
        save(tmp_path / rows[2][column], truth(2, 0)[:8])
    table(tmp_path, rows)
    with pytest.raises(InputError, match=r"\(8, 12\), its image 2\.png \(12, 8\) as its EXIF"):
        opened(tmp_path)


def test_images_that_are_white_at_0_are_refused(tmp_path):
    import tifffile

    names = [f"{i}.tif" for i in range(len(SPLITS))]
    _with(
        tmp_path,
        lambda path, i: tifffile.imwrite(path, pixels(i), photometric="miniswhite"),
        names,
    )
    with pytest.raises(InputError, match=r"line 2: .*0\.tif: a TIFF whose 0 is white"):
        opened(tmp_path)


def test_size_scales_without_distortion_and_what_is_around_has_no_label(tmp_path):
    rows = write(tmp_path)
    grey = np.full((24, 12), 100, np.uint8)
    grey[:, 6:] = 200
    mask = np.zeros((24, 12), np.uint8)
    mask[6:18, 3:9] = 1
    save(tmp_path / "3.png", grey)
    for column in ("rater_1", "rater_2"):
        save(tmp_path / rows[3][column], mask)
    table(tmp_path, rows)
    with pytest.raises(InputError, match=r"3\.png is \(y, x\) \(24, 12\).*option size, such as"):
        opened(tmp_path)
    source = opened(tmp_path, size=12)
    assert source.shape == (12, 12)
    found = samples(source)
    assert_array_equal(found["0.png"].image, pixels(0)[None])
    tall = found["3.png"]
    assert_allclose(tall.image[0, :, 3:9].mean(), 150, atol=1)
    assert_allclose(tall.image[0, :, :3], 150, atol=1)
    assert (np.diff(tall.image[0, :, 3:9], axis=1) >= 0).all()
    expected = np.full((12, 12), UNLABELLED)
    expected[:, 3:9] = 0
    expected[3:9, 4:8] = 1  # 3 to 9 of 12 pixels lie, halved, at 1.5 to 4.5 of 6
    inside = tall.labels[0, :, 3:9]
    assert (tall.labels[0, :, :3] == UNLABELLED).all()
    assert (tall.labels[0, :, 9:] == UNLABELLED).all()
    assert set(np.unique(inside)) == {0, 1}
    assert inside.mean() == pytest.approx(mask.mean(), abs=0.09)
    assert opened(tmp_path, size=[16, 12]).shape == (16, 12)


def test_the_last_line_says_what_was_prepared(tmp_path, caplog):
    rows = write(tmp_path)
    rows[4]["rater_2"] = ""
    mask = truth(5, 0)
    mask[:3] = 255
    save(tmp_path / rows[5]["rater_1"], mask)
    table(tmp_path, rows)
    with caplog.at_level(logging.INFO):
        options = _options(tmp_path, ignore=255)
        prepare(tmp_path / "x.zarr", source="folder", options=options, seed=0, threads=1)
    line = caplog.records[-1].getMessage()
    assert line.startswith("folder: images id 1, ood_site 1, train 3, val 1; 2 raters; 1 channels;")
    assert "12 x 12 pixels; classes background " in line
    assert "; groups not given; 1 of 12 readings missing; 12.5 % of pixels ignored" in line
    assert line.endswith("; 0 skipped")
    shares = [float(part) for part in line.split("classes ")[1].split("; ")[0].split(" ")[1::3]]
    labels = np.concatenate(
        [store.open_split(tmp_path / "x.zarr", s)["labels"].values for s in set(SPLITS)]
    )
    known = labels[labels != UNLABELLED]
    assert shares[1] == pytest.approx(100 * (known == 1).mean(), abs=1)
    assert sum(shares) == pytest.approx(100, abs=0.02)
