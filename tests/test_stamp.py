"""A stamp notices damage to itself, and says which folder is to be removed."""

import re

import pytest
from damage import flip

from segue import stamp
from segue.errors import InputError
from segue.stamp import Stamp


def write(folder):
    """A result in a folder of its own below its stamp, as trainings have; returns the stamp."""
    result = folder / "abc" / "model.pt"
    result.parent.mkdir(parents=True)
    result.write_bytes(b"weights")
    path = folder / stamp.NAME
    stamp.write(path, Stamp(result.parent, stamp.of_files(result.parent, ("model.pt",)), "content"))
    return path


def test_a_stamp_reads_as_it_was_written(tmp_path):
    found = stamp.verified(write(tmp_path / "run"))
    assert found.main == tmp_path / "run/abc/model.pt"
    assert found.content == "content"


def test_no_bit_of_a_stamp_changes_unnoticed(tmp_path):
    path = write(tmp_path / "run")
    whole = path.read_bytes()
    remedy = re.escape(f"{path}: is damaged; remove the folder {path.parent} and run again")
    for bit in range(0, 8 * len(whole), 3):
        path.write_bytes(flip(whole, bit))
        with pytest.raises(InputError, match=remedy):
            stamp.read(path)
    for content in (b"", whole[: len(whole) // 2], bytes(len(whole)), b"[]"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=remedy):
            stamp.read(path)


def test_what_is_to_be_removed_is_the_folder_of_the_stamp_and_nothing_that_a_link_leads_to(
    tmp_path,
):
    path = write(tmp_path / "run")
    removed = f"remove the folder {path.parent} and run again"
    assert stamp.removal(path.parent / "abc" / "model.pt") == removed
    theirs, link = tmp_path / "mine" / "deep" / "er.zarr", path.parent / "samples.zarr"
    theirs.mkdir(parents=True)
    link.symlink_to(theirs)
    assert stamp.removal(link) is None
    assert stamp.removal(theirs) is None
