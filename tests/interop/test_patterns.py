"""Files are told apart by their names, and what can be read in two ways is refused."""

import unicodedata

import pytest

from segue.errors import InputError
from segue.interop.patterns import check_whole, find

KEYS = ("member", "draw", "class")


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_pattern_tells_what_each_file_is_of(tmp_path):
    names = [
        f"{m}/b_{i}-{d}_{c}.npy"
        for m in ("m2", "m10")
        for i in (2, 10)
        for d in "ab"
        for c in (0, 1)
    ]
    touch(tmp_path, *names, "m2/notes.txt", "m2/._b_2-a_0.npz")
    found = find(f"{tmp_path}/{{member}}/{{image}}-{{draw}}_{{class}}.npy", KEYS, (".npy",))
    assert list(found.images) == ["b_2", "b_10"]
    assert found.values == {"member": ["m2", "m10"], "draw": ["a", "b"], "class": ["0", "1"]}
    assert found.images["b_10"]["m2", "b", "1"] == tmp_path / "m2/b_10-b_1.npy"
    check_whole(found)
    (tmp_path / "m10/b_10-a_1.npy").unlink()
    again = find(f"{tmp_path}/{{member}}/{{image}}-{{draw}}_{{class}}.npy", KEYS, (".npy",))
    with pytest.raises(
        InputError, match="no file of member m10, draw a, class 1 of the image 'b_10'"
    ):
        check_whole(again)


@pytest.mark.parametrize(
    ("names", "values"),
    [(["x.npy", "y.npy"], {}), (["a/x.npy", "b/x.npy"], {"member": ["a", "b"]})],
)
def test_a_folder_holds_files_or_a_folder_for_each_member(names, values, tmp_path):
    touch(tmp_path, *names, "dataset.json", ".DS_Store")
    assert find(str(tmp_path), KEYS, (".npy",)).values == values


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_the_same_however_accents_are_written(form, tmp_path):
    touch(tmp_path, unicodedata.normalize(form, "Müller.npy"))
    assert list(find(str(tmp_path), KEYS, (".npy",)).images) == ["M\u00fcller"]


def test_folders_with_signs_of_patterns_are_taken_as_they_are(tmp_path):
    touch(tmp_path, "run [1]*/a.npy", "run 1x/b.npy")
    assert list(find(str(tmp_path / "run [1]*"), KEYS, (".npy",)).images) == ["a"]


@pytest.mark.parametrize(
    ("names", "pattern", "message"),
    [
        (["m_1_a_2.npy"], "{member}_{image}.npy", "is the member 'm_1_a' or 'm', by the pattern"),
        (["a.npy"], "{image}.npz", "no file has such a name"),
        (["a_x.npy"], "{image}_{class}.npy", "a class is a number"),
        (["a.npy"], "{fold}/{image}.npy", "expected {image}, {member}, {draw}, {class}, each once"),
        (["a.npy"], "{image}/{image}.npy", "each once at most, found {image}"),
        (["a.npy", "b.npz"], "", "holds files of .*npy and of .*npz"),
        (["a.npy", "m/a.npy"], "", "holds files of .*{member}/{image}.npy and of"),
        (["a.txt"], "", "no file that ends in .npy, .npz, neither in it nor in a folder in it"),
        (["a.npy"], "none", "no such folder; expected one, or a pattern of files such as"),
    ],
)
def test_what_may_be_anything_is_refused(names, pattern, message, tmp_path):
    touch(tmp_path, *names)
    with pytest.raises(InputError, match=message):
        find(str(tmp_path / pattern) if pattern else str(tmp_path), KEYS, (".npy", ".npz"))
