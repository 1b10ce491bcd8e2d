"""The LIDC readers on files in the real formats, with their traps."""

import os
import pickle
import shutil
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookalikes import lidc_entries, write_dicom, write_lidc
from numpy.testing import assert_allclose, assert_array_equal

from segue import store
from segue.data.contours.database import load, scans_by_series
from segue.data.contours.nodules import labels, nodules, window_origin
from segue.data.corruptions import CORRUPTIONS
from segue.data.prepare import prepare
from segue.data.sources import lidc
from segue.data.sources.lidc import dicom, pickle_index
from segue.errors import InputError

SERIES_1 = "1.3.6.1.4.1.14519.5.2.1.6279.6001.303494235102183795724852353824"
"""Of LIDC-IDRI-0078, the first scan of the outlines' file."""


@pytest.fixture
def entries():
    return lidc_entries(patients=5)


def _open(folder: Path, entries, protocol=3, **options):
    path, metadata = write_lidc(folder, entries, protocol)
    return lidc.open_source(seed=0, path=str(path), metadata_csv=str(metadata), **options)


def _samples(source):
    """Every sample of a pickle by patient and slice."""
    samples = [source.read(item) for items in source.splits.values() for item in items]
    return {(s.coordinates["patient"], s.coordinates["slice"]): s for s in samples}


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_what_was_pickled_is_read(tmp_path, entries, protocol):
    first = next(iter(entries.values()))
    first["image"] = np.asfortranarray(first["image"])
    first["masks"][1] = first["masks"][0]  # pickled once, referred to twice
    samples = _samples(_open(tmp_path, entries, protocol))
    assert len(samples) == len(entries)
    for key, entry in entries.items():
        number = int(key.split("slice")[1].split("[")[0])
        sample = samples[f"LIDC-{entry['series_uid']}", number]
        assert_array_equal(sample.image[0], entry["image"].astype(np.float32))
        assert_array_equal(sample.labels, np.array(entry["masks"]))
        assert sample.labels.dtype == np.uint8
        assert sample.coordinates["spacing"] == 0.703125
        assert sample.coordinates["nodule"] == number - 39


def test_both_spellings_of_numpys_module_are_read(tmp_path, entries):
    path, metadata = write_lidc(tmp_path, entries)
    new = path.read_bytes()
    old = new.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n")
    assert old != new
    found = []
    for content in (new, old):
        path.write_bytes(content)
        source = lidc.open_source(seed=0, path=str(path), metadata_csv=str(metadata))
        found.append(_samples(source))
    for key, sample in found[0].items():
        assert_array_equal(found[1][key].image, sample.image)


def test_the_package_knows_the_patient_of_a_series(tmp_path, entries):
    for entry in list(entries.values())[:2]:
        entry["series_uid"] = SERIES_1
    path, _ = write_lidc(tmp_path, entries)
    with pytest.raises(InputError, match=r"series '1\.3\.6\.1\.4\.1' and 3 others.*metadata_csv"):
        lidc.open_source(seed=0, path=str(path))
    known = scans_by_series()
    assert known[SERIES_1] == ("LIDC-IDRI-0078", 1)
    for entry, series in zip(entries.values(), known, strict=False):
        entry["series_uid"] = series
    path, _ = write_lidc(tmp_path, entries)
    source = lidc.open_source(seed=0, path=str(path))
    found = {item.patient for items in source.splits.values() for item in items}
    assert found <= {patient for patient, _ in known.values()}


class _Attack:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [3, 4])
def test_a_foreign_class_is_refused_by_name_and_leaves_nothing(tmp_path, entries, protocol):
    trace = tmp_path / "trace"
    entries["z_slice1[lesion1]"] = {"image": _Attack(trace)}
    path = tmp_path / "data_lidc.pickle"
    path.write_bytes(pickle.dumps(entries, protocol))
    out = tmp_path / "out" / "dataset.zarr"
    with pytest.raises(InputError, match=r"names posix\.mkdir.*refused"):
        prepare(out, source="lidc", options={"path": str(path)}, seed=0, threads=1)
    assert not trace.exists()
    assert not out.parent.exists()
    pickle.loads(path.read_bytes())
    assert trace.exists()  # what a plain unpickler would have done


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy.core", "multiarray._reconstruct"),
        ("pydicomx", "UID"),
        ("collections", "OrderedDict"),
    ],
)
def test_only_listed_names_may_occur(tmp_path, module, name):
    path = tmp_path / "x.pickle"
    spelled = [
        b"\x80\x03c" + f"{module}\n{name}\n".encode() + b".",
        b"\x80\x04"
        + b"".join(b"\x8c" + bytes([len(s)]) + s.encode() for s in (module, name))
        + b"\x93.",
    ]
    for content in spelled:
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"names {module}.{name};"):
            pickle_index.contents(path)


def test_pydicoms_functions_are_not_called(tmp_path, entries):
    class Call:
        def __reduce__(self):
            return pydicom.config.debug, (True,)

    first = next(iter(entries.values()))
    first["pixel_spacing"] = Call()
    source = _open(tmp_path, entries)
    samples = _samples(source)
    assert not pydicom.config.debugging
    assert np.isnan([s.coordinates["spacing"] for s in samples.values()]).sum() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a pickle, an HDF5 file or a folder"),
        (b"PK\x03\x04", "expected a pickle, an HDF5 file or a folder"),
        (pickle.dumps({"a": 1}, 2), "protocol 2; expected 3 or later"),
        (pickle.dumps(lidc_entries(1, 1, 16), 3)[:-40], "not a whole pickle"),
        (pickle.dumps([1, 2], 3), "expected a dict of dicts.*came list"),
        (pickle.dumps({"a": {"image": 3}}, 3), "entry 'a': expected a dict of dicts"),
        (b"\x80\x03P0\n.", "opcode PERSID"),
        (b"\x80\x03b.", "not a whole pickle"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "data_lidc.pickle"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        lidc.open_source(seed=0, path=str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"masks": [np.zeros((128, 128))] * 3}, "expected 4 masks"),
        ({"masks": [np.zeros((128, 127))] * 4}, "expected 4 masks"),
        ({"image": np.zeros((128, 100))}, "not a square array"),
        ({"image": np.array(["a"] * 4, object).reshape(2, 2)}, "not a square array"),
        ({"image": np.zeros((64, 64)), "masks": [np.zeros((64, 64))] * 4}, "images of 2 shapes"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(tmp_path, entries, change, message):
    entries["6279.6001.0000_slice40[lesion1]"] |= change
    with pytest.raises(InputError, match=message):
        _open(tmp_path, entries)


def test_the_index_of_a_pickle_is_a_small_share_of_it(tmp_path):
    path, _ = write_lidc(tmp_path, lidc_entries(patients=40))
    tracemalloc.start()
    try:
        pickle_index.contents(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 10


def test_a_patient_is_in_one_split(tmp_path):
    source = _open(tmp_path, lidc_entries(patients=10, side=16), size=16)
    patients = {split: {i.patient for i in items} for split, items in source.splits.items()}
    assert {split: len(p) for split, p in patients.items()} == {"train": 6, "val": 2, "id": 2}
    assert len(set.union(*patients.values())) == 10
    assert source.attributes["counts"]["val"] == {"images": 4, "patients": 2}
    assert source.corruptions == tuple(CORRUPTIONS)


def test_the_split_depends_on_the_seed_only(tmp_path):
    entries = lidc_entries(patients=10, side=16)
    path, metadata = write_lidc(tmp_path, entries)

    def splits(seed):
        options = {"path": str(path), "metadata_csv": str(metadata), "size": 16}
        return lidc.open_source(seed=seed, **options).splits

    first = splits(0)
    assert first != splits(1)
    write_lidc(tmp_path, dict(reversed(entries.items())))
    shuffled = splits(0)
    patients = [[{i.patient for i in s[name]} for name in s] for s in (first, shuffled)]
    assert patients[0] == patients[1]


def test_limits_draw_a_subset_of_a_split(tmp_path, entries):
    everything = _open(tmp_path, entries).splits
    few = _open(tmp_path, entries, images={"train": 3, "id": None}).splits
    assert len(few["train"]) == 3
    assert set(map(str, few["train"])) <= set(map(str, everything["train"]))
    assert few["id"] == everything["id"]
    with pytest.raises(InputError, match=r"images\.val: expected 1 to 2.*came 9"):
        _open(tmp_path, entries, images={"val": 9})
    with pytest.raises(InputError, match="no split 'test'"):
        _open(tmp_path, entries, images={"test": 1})


def test_blocks_are_averaged_in_images_and_joined_in_masks(tmp_path, entries):
    first = next(iter(entries.values()))
    first["image"] = np.arange(128 * 128, dtype=float).reshape(128, 128)
    first["masks"][0] = np.zeros((128, 128), np.uint8)
    first["masks"][0][65, 2] = 1
    sample = _samples(_open(tmp_path, entries, size=64))["LIDC-1.3.6.1.4.0", 40]
    assert sample.image.shape == (1, 64, 64)
    assert sample.image[0, 0, 0] == (0 + 1 + 128 + 129) / 4
    assert np.argwhere(sample.labels[0]).tolist() == [[32, 1]]
    with pytest.raises(InputError, match="divisor of 128, came 60"):
        _open(tmp_path, entries, size=60)


def test_masks_are_shifted_on_request(tmp_path, entries):
    first = next(iter(entries.values()))
    first["masks"][0] = np.zeros((128, 128), np.uint8)
    first["masks"][0][[4, 127], [9, 127]] = 1
    key = "LIDC-1.3.6.1.4.0", 40
    still = _samples(_open(tmp_path, entries))[key]
    moved = _samples(_open(tmp_path, entries, shift_masks=[1, 1]))[key]
    assert np.argwhere(still.labels[0]).tolist() == [[4, 9], [127, 127]]
    assert np.argwhere(moved.labels[0]).tolist() == [[5, 10]]
    assert_array_equal(still.image, moved.image)


@given(down=st.integers(-7, 7), right=st.integers(-7, 7), seed=st.integers(0, 99))
def test_a_shift_moves_every_pixel_that_stays_inside(down, right, seed):
    masks = np.random.default_rng(seed).integers(0, 2, (2, 8, 8), np.uint8)
    moved = lidc.shift_down_right(masks, (down, right))
    padded = np.pad(masks, ((0, 0), (8, 8), (8, 8)))
    assert_array_equal(moved, padded[:, 8 - down : 16 - down, 8 - right : 16 - right])


def test_another_checksum_is_warned_of_or_refused(tmp_path, entries, caplog):
    source = _open(tmp_path, entries)
    assert "is not that of the published file" in caplog.text
    caplog.clear()
    _open(tmp_path, entries, sha256=source.attributes["sha256"])
    assert not caplog.records
    with pytest.raises(InputError, match=r"sha256 is .*; the settings expect 00"):
        _open(tmp_path, entries, sha256="00")


def _write_hdf5(path: Path, labels_shape=(16, 16, 4)):
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for group, count in (("train", 3), ("val", 2), ("test", 2)):
            file[f"{group}/images"] = rng.random((count, 16, 16)) - 0.5
            file[f"{group}/labels"] = rng.integers(0, 2, (count, *labels_shape), np.uint8)
            file[f"{group}/uids"] = np.arange(count)
    return path


def test_hdf5_keeps_its_own_split(tmp_path):
    path = _write_hdf5(tmp_path / "data_lidc.hdf5")
    source = lidc.open_source(seed=0, path=str(path), size=16)
    assert {k: len(v) for k, v in source.splits.items()} == {"train": 3, "val": 2, "id": 2}
    assert "patients unknown" in source.attributes["split"]
    sample = source.read(source.splits["id"][1])
    with h5py.File(path) as file:
        assert_allclose(sample.image[0], file["test/images"][1], rtol=1e-6)
        for rater in range(4):
            assert_array_equal(sample.labels[rater], file["test/labels"][1, :, :, rater])
    assert sample.coordinates == {}


def test_an_hdf5_file_of_another_layout_is_refused(tmp_path):
    path = _write_hdf5(tmp_path / "x.hdf5", labels_shape=(4, 16, 16))
    with pytest.raises(InputError, match=r"train: expected images \(3, 16, 16\) and labels"):
        lidc.open_source(seed=0, path=str(path))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(InputError, match="not a whole HDF5 file"):
        lidc.open_source(seed=0, path=str(path))


PATIENTS = {247: "old", 631: "new", 888: "old"}  # scans of one nodule, outlined in one slice


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Three scans of TCIA's tree: the outlined slices and their neighbours; values are a ramp."""
    root = tmp_path_factory.mktemp("tcia") / "LIDC-IDRI"
    series = {scan: uid for uid, (_, scan) in scans_by_series().items()}
    ramp = np.add.outer(np.arange(512), 2 * np.arange(512)).astype(np.int16)
    for scan_id, naming in PATIENTS.items():
        scan = load()[scan_id]
        study, folder = {
            "old": ("1.3.6.1.4.1.1", series[scan_id]),
            "new": ("01-01-2000-NA-NA-30178", "3000566.000000-NA-03192"),
        }[naming]
        place = root / scan.patient / study / folder
        middle = nodules(scan)[0].slices[0]
        for number, k in enumerate(range(middle - 1, middle + 2)):
            details = {"series": series[scan_id], "z": scan.positions[k], "intercept": -1500}
            name = f"{9 - number:06}.dcm" if naming == "old" else f"1-{9 - number:03}.dcm"
            write_dicom(place / name, ramp + 5 * k, number=number + 1, **details)
            if k == middle:  # the slice again, with a higher number and a name that sorts first
                write_dicom(place / "0.dcm", ramp * 0, number=99, **details)
    chest = {"series": "1.2.3", "z": 0.0, "number": 1, "intercept": 0}
    write_dicom(root / "LIDC-IDRI-0001" / "study" / "xray" / "1.dcm", ramp, **chest)
    return root


def test_dicom_slices_are_in_hounsfield_units_around_the_outlines(tree):
    source = lidc.open_source(seed=4, path=str(tree))
    items = [item for part in source.splits.values() for item in part]
    assert len(items) == 3
    for item in items:
        sample = source.read(item)
        place = item.slice.place
        nodule = nodules(load()[place.scan])[0]
        row, column = window_origin(nodule, place.slice, 128)
        y, x = np.mgrid[row : row + 128, column : column + 128]
        expected = np.maximum(y + 2 * x + 5 * place.slice - 1500, -1024)
        assert_array_equal(sample.image[0], expected)
        assert (sample.image == -1024).any() == ((y + 2 * x + 5 * place.slice).min() < 476)
        expected = labels(nodule, place.slice, seed=4, side=128)
        assert_array_equal(sample.labels, expected)
        assert sample.labels.any()
        assert sample.coordinates["patient"] == nodule.scan.patient


def test_series_are_found_whatever_their_folders_are_called(tree, tmp_path):
    moved = tmp_path / "flat"
    for i, folder in enumerate(sorted({f.parent for f in tree.rglob("*.dcm")})):
        shutil.copytree(folder, moved / f"x{i}")
    first, second = (lidc.open_source(seed=0, path=str(p)) for p in (tree, moved))
    for split, items in first.splits.items():
        for one, other in zip(items, second.splits[split], strict=True):
            assert one.patient == other.patient
            assert_array_equal(first.read(one).image, second.read(other).image)


def test_a_series_without_an_outlined_slice_is_named(tree, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    scan = load()[247]
    middle = scan.positions[nodules(scan)[0].slices[0]]
    for file in copy.glob(f"{scan.patient}/*/*/*.dcm"):
        if pydicom.dcmread(file).ImagePositionPatient[2] == middle:
            file.unlink()
    with pytest.raises(InputError, match=r"series 1\.3\.6.*no slice at z.*fetch the series again"):
        lidc.open_source(seed=0, path=str(copy))


def test_a_folder_without_outlined_series_is_refused(tree, tmp_path):
    with pytest.raises(InputError, match="none of 0 DICOM series"):
        lidc.open_source(seed=0, path=str(tmp_path))
    with pytest.raises(InputError, match="none of 1 DICOM series"):
        lidc.open_source(seed=0, path=str(tree / "LIDC-IDRI-0001"))
    (tmp_path / "x.DCM").write_bytes(b"no such thing")
    with pytest.raises(InputError, match=r"x\.DCM: not a DICOM file"):
        dicom.index(tmp_path)


def test_a_pickle_becomes_a_store(tmp_path):
    path, metadata = write_lidc(tmp_path, lidc_entries(patients=5))
    out = tmp_path / "out" / "dataset.zarr"
    options = {"path": str(path), "metadata_csv": str(metadata), "size": 32}
    prepare(out, source="lidc", options=options, seed=0, threads=1)
    assert store.attributes(out)["counts"]["train"] == {"images": 6, "patients": 3}
    shifted = {"ood_noise", "ood_blur", "ood_contrast", "ood_jpeg"}
    assert set(store.splits(out)) == {"train", "val", "id"} | shifted
    train = store.open_split(out, "train")
    assert train["image"].shape == (6, 1, 32, 32)
    assert_allclose(train["image"].mean(["channel", "y", "x"]), 0, atol=1e-6)
    assert len(set(train["patient"].values)) == 3
    assert_array_equal(train["labels"].isel(rater=3), 0)
