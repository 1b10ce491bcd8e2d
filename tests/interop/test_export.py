"""Maps come out as files of the images' names, with every value and its unit."""

import os
import sys

import nibabel
import numpy as np
import pytest
import tifffile
from handmade import random_split

import segue
from segue import cli, store
from segue.errors import InputError
from segue.evaluation.maps import write_maps
from segue.interop.export import export, file_names

NAMES = ["case 1", "../a/b", "", "CASE_1", "Müller.v2"]
FILES = ["case_1_0000", "a_b", "0002", "CASE_1_0003", "Müller.v2"]


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """The folder of maps of five images, 12 x 9 pixels, of three classes."""
    folder = tmp_path_factory.mktemp("maps")
    split = random_split("id", images=5, classes=3).isel(x=slice(9))
    values = split["probs"].values, split["labels"].values
    with segue.PredictionWriter(folder / "mine.zarr") as writer:
        for i in range(5):
            writer.add("id", *(each[[i]] for each in values), names=[NAMES[i] or "%"])
        writer.add("ood_x", *values)
    given = str(folder / "mine.zarr")
    write_maps(folder / "maps.zarr", dataset=given, samples=given, none_roles="strict", options={})
    return folder


def read(path):
    """Values (y, x) or (class, y, x) of a file."""
    if path.name.endswith(".tif"):
        return tifffile.imread(path)
    values = np.asarray(nibabel.load(path).dataobj)
    assert values.shape[2] == 1
    return np.moveaxis(values[:, :, 0], (0, 1), (-1, -2))


@pytest.mark.parametrize(("to", "suffix"), [("tiff", ".tif"), ("nifti", ".nii.gz")])
def test_every_value_of_both_estimators_is_there(to, suffix, maps, tmp_path):
    out = tmp_path / "new/files"
    said = export(maps, out, to=to, estimators=["plugin", "jackknife"])
    assert said == f"70 files of the images of id 5, ood_x 5 in {out}; TU, AU and EU are in nats"
    assert os.listdir(tmp_path / "new") == ["files"]
    expected = store.open_split(maps / "maps.zarr", "id")
    for i, name in enumerate([*FILES[:2], "0002", *FILES[3:]]):
        for more in ("", "_jackknife"):
            for measure in ("TU", "AU", "EU"):
                found = read(out / "id" / f"{name}_{measure}{more}{suffix}")
                wanted = expected[f"uncertainty{more}"][i].sel(measure=measure)
                np.testing.assert_array_equal(found, wanted)
                assert found.dtype == np.float32
        found = read(out / "id" / f"{name}_prediction{suffix}")
        np.testing.assert_array_equal(found, expected["prediction"][i])
    assert len(list((out / "id").iterdir())) == 35
    assert (out / "ood_x" / f"0004_EU{suffix}").exists()


def test_files_say_what_they_hold_and_its_unit(maps, tmp_path):
    export(maps, tmp_path / "t", to="tiff", estimators=["jackknife"])
    export(maps, tmp_path / "n", to="nifti")
    with tifffile.TiffFile(tmp_path / "t/id/a_b_AU_jackknife.tif") as file:
        said = file.shaped_metadata[0]
        assert said["unit"] == "nats"
        assert said["content"] == "AU in nats, jackknife over draws; Segue"
        assert file.series[0].axes == "YX"
    with tifffile.TiffFile(tmp_path / "t/id/a_b_prediction.tif") as file:
        assert "unit" not in file.shaped_metadata[0]
        assert file.series[0].axes == "CYX"
    header = nibabel.load(tmp_path / "n/id/a_b_AU.nii.gz").header
    assert header["descrip"] == b"AU in nats; Segue"
    assert header.get_intent()[::2] == ("estimate", "AU")
    assert header["qform_code"] == header["sform_code"] == 0


def test_the_same_maps_give_the_same_bytes(maps, tmp_path):
    for to in ("tiff", "nifti"):
        for out in ("a", "b"):
            export(maps, tmp_path / to / out, to=to)
        first, second = (sorted((tmp_path / to / out).rglob("*.*")) for out in ("a", "b"))
        assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
        assert len(first) == 40


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (NAMES, FILES),
        (["", ""], ["0000", "0001"]),
        (["a", "A", "a_0000"], ["0000_a", "0001_A", "0002_a_0000"]),
        (["../..", "/etc/passwd", ".hidden"], ["0000", "etc_passwd", "hidden"]),
    ],
)
def test_each_image_has_a_file_name_of_its_own_in_the_folder(names, expected):
    assert file_names(names) == expected


def test_nothing_is_written_over_and_nothing_half(maps, tmp_path):
    export(maps / "maps.zarr", tmp_path / "a", to="tiff")
    with pytest.raises(InputError, match="a: exists already; remove it, or name another --out"):
        export(maps, tmp_path / "a", to="tiff")
    with pytest.raises(InputError, match=r"mine.zarr/id/uncertainty: no such array; expected maps"):
        export(maps / "mine.zarr", tmp_path / "b", to="tiff")
    with pytest.raises(InputError, match="no Zarr store there"):
        export(tmp_path, tmp_path / "b", to="tiff")
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("to", "package", "extra"), [("tiff", "tifffile", "study"), ("nifti", "nibabel", "data")]
)
def test_a_missing_package_is_named_with_its_extra(
    to, package, extra, maps, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, package, None)
    assert cli.main(["export", str(maps), "--to", to, "--out", str(tmp_path / "a")]) == 1
    said = capsys.readouterr().err
    assert said == f"segue: error: --to {to}: needs {package}: pip install 'segue[{extra}]'\n"
    assert not (tmp_path / "a").exists()


def test_the_command_exports(maps, tmp_path, capsys):
    given = ["export", str(maps), "--to", "tiff", "--out", str(tmp_path / "a")]
    assert cli.main([*given, "--estimator", "jackknife"]) == 0
    assert "40 files of the images of id 5, ood_x 5" in capsys.readouterr().out
    assert (tmp_path / "a/id/a_b_EU_jackknife.tif").exists()
    with pytest.raises(SystemExit, match="0"):
        cli.main(["export", "--help"])
    assert "many draws (default: plugin)" in capsys.readouterr().out
