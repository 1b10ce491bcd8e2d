"""Tables as people have them: what they say is read, and what they do not say is asked for."""

import logging
import unicodedata

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from own_images import SPLITS, opened, samples, save, table, truth, write

from segue.errors import InputError

UNLABELLED = 255


def _check(root, **options):
    """All samples are those written."""
    found = samples(opened(root, **options))
    assert len(found) == len(SPLITS)
    for number, sample in enumerate(found.values()):
        expected = np.stack([truth(number, rater) for rater in range(2)])
        assert_array_equal(sample.labels, expected)
    return found


def _text(rows, columns=None, **how):
    columns = columns or list(rows[0])
    delimiter, end = how.get("delimiter", ","), how.get("end", "\n")
    lines = [columns, *([str(row.get(c, "")) for c in columns] for row in rows)]
    return "".join(delimiter.join(line) + end for line in lines)


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        (lambda text: text.replace(",", ";"), "utf-8"),
        (lambda text: text.replace(",", "\t"), "utf-8"),
        (lambda text: text.replace(",", ", "), "utf-8"),
        (lambda text: text.replace("\n", "\r\n"), "utf-8"),
        (lambda text: text.replace("\n", "\r"), "utf-8"),
        (lambda text: text.replace("\n", ",\n"), "utf-8"),
        (lambda text: text.replace("\n", ",,,\n"), "utf-8"),
        (lambda text: text + ",,,\n" + "\n" + "  \n", "utf-8"),
        (lambda text: "\n\n" + text, "utf-8"),
        (lambda text: text.rstrip("\n"), "utf-8"),
        (
            lambda text: text.replace("image,split", "Image,SPLIT").replace("rater", "Rater"),
            "utf-8",
        ),
        (lambda text: text.replace("masks/", "masks\\"), "utf-8"),
        (lambda text: text.replace("masks/", ".\\masks\\"), "utf-8"),
        (lambda text: "\n".join(f'"{line}"'.replace(",", '","') for line in text.split()), "utf-8"),
        (lambda text: text, "utf-8-sig"),
        (lambda text: text, "utf-16"),
        (lambda text: "\ufeff" + text, "utf-16-le"),
    ],
)
def test_a_table_is_read_as_its_program_wrote_it(tmp_path, change, encoding):
    rows = write(tmp_path)
    (tmp_path / "index.csv").write_bytes(change(_text(rows)).encode(encoding))
    _check(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_with_accents_are_found_however_they_are_written(tmp_path, encoding, form):
    names = [unicodedata.normalize(form, f"Größe {i} [é]#1%.png") for i in range(len(SPLITS))]
    rows = write(tmp_path, names)
    text = unicodedata.normalize("NFC", _text(rows))
    (tmp_path / "index.csv").write_bytes(text.encode(encoding))
    _check(tmp_path)
    images = _text([{k: row[k] for k in ("image", "split")} for row in rows])
    (tmp_path / "index.csv").write_bytes(unicodedata.normalize("NFC", images).encode(encoding))
    _check(tmp_path, masks="masks/{stem}_*.png")


def test_other_columns_are_named_in_the_log(tmp_path, caplog):
    rows = [{"": i, **row, "age": 61, "sex": "f"} for i, row in enumerate(write(tmp_path))]
    table(tmp_path, rows)
    with caplog.at_level(logging.INFO):
        _check(tmp_path)
    assert "not used: (no name), age, sex" in caplog.text


def test_a_patient_is_a_group(tmp_path):
    rows = [
        {**row, "patient": f"p{min(i, 3) // 3 + i // 4}"} for i, row in enumerate(write(tmp_path))
    ]
    table(tmp_path, rows, ["image", "patient", "rater_1", "rater_2"])
    groups = [
        {item.row.group for item in items}
        for items in opened(tmp_path, corruptions=True).splits.values()
    ]
    assert sorted(map(sorted, groups)) == [["p0"], ["p1"], ["p2"]]
    table(tmp_path, rows)
    found = _check(tmp_path)
    patients = [sample.coordinates["patient"] for sample in found.values()]
    assert patients == ["p0", "p0", "p0", "p1", "p2", "p2"]


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "NA", "n/a", "None", " "])
def test_an_empty_cell_is_a_reading_that_there_is_not(tmp_path, caplog, cell):
    rows = write(tmp_path)
    rows[4]["rater_2"] = cell
    table(tmp_path, rows)
    found = samples(opened(tmp_path))
    assert_array_equal(found["4.png"].labels[0], truth(4, 0))
    assert (found["4.png"].labels[1] == UNLABELLED).all()
    assert "1 of 12 readings are missing" in caplog.text
    assert "4.png by rater_2" in caplog.text
    assert sum((sample.labels == UNLABELLED).any() for sample in found.values()) == 1


def test_a_training_image_that_no_rater_saw_is_refused(tmp_path):
    rows = write(tmp_path)
    rows[4] |= {"rater_1": "", "rater_2": ""}
    table(tmp_path, rows)
    assert (samples(opened(tmp_path))["4.png"].labels == UNLABELLED).all()
    rows[1] |= {"rater_1": "", "rater_2": ""}
    table(tmp_path, rows)
    with pytest.raises(InputError, match=r"line 3: no rater has seen 1\.png"):
        opened(tmp_path)


def test_a_file_that_is_called_like_nothing_is_a_file(tmp_path):
    rows = write(tmp_path)
    save(tmp_path / "na.png", truth(4, 1))
    (tmp_path / "na.png").rename(tmp_path / "na")
    rows[4]["rater_2"] = "na"
    table(tmp_path, rows)
    with pytest.raises(InputError, match=r"line 6: .*na: expected \.png"):
        opened(tmp_path)


def test_a_picture_in_two_splits_is_refused_however_it_is_called(tmp_path):
    rows = write(tmp_path)
    table(tmp_path, rows)
    save(tmp_path / "4.npy", np.load(_as_npy(tmp_path / "1.png")))
    rows[4]["image"] = "4.npy"
    table(tmp_path, rows)
    with pytest.raises(InputError, match=r"line 6 \(id\): the same picture as .*line 3 \(train\)"):
        opened(tmp_path)


def _as_npy(path):
    from PIL import Image

    np.save(path.with_suffix(".npy"), np.asarray(Image.open(path)))
    return path.with_suffix(".npy")


@pytest.mark.parametrize("split", ["ood_", "ood_a/b", "ood_../x", "ood_a\tb", "Train", "ood_."])
def test_a_split_has_a_name_that_can_be_a_group(tmp_path, split):
    rows = write(tmp_path)
    rows[5]["split"] = split
    table(tmp_path, rows, delimiter=";")
    with pytest.raises(InputError, match=r"line 7: split .* expected train, val, id"):
        opened(tmp_path)


@pytest.mark.parametrize("split", ["ood", "ood_Gerät 2", "ood_3.0T", "ood_a-b_c"])
def test_shifts_may_have_names_of_other_languages(tmp_path, split):
    rows = write(tmp_path)
    rows[5]["split"] = split
    table(tmp_path, rows)
    assert split in opened(tmp_path).splits
