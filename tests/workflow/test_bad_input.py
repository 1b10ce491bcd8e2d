"""What is wrong with the input is said at once, in one line."""

import pickle

import pytest
from study import Study

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Study(tmp_path_factory.mktemp("bad") / "project", {"study": "bad"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": {"epoch": 3}}, "training: unknown key epoch; there are: epochs, batch, "),
        ({"network": {"channels": [2, 4]}}, "network.channels.0: expected at least 4, found 2"),
        (
            {"datasets": {"lidc_contours": {"options": {"corrupt": "no"}}}},
            "datasets.lidc_contours.options: unknown key corrupt; there are: crop, images, shifts",
        ),
        ({"epistemic": {"ensemble": {"members": 2}}}, "epistemic.ensemble.hypotheses: 3 of 2 memb"),
    ],
)
def test_a_wrong_config_is_refused_before_anything_runs(study, change, message):
    done = study.snakemake("--cores", "1", change=change)
    assert done.returncode == 1
    errors = [line for line in done.stdout.splitlines() if "rror" in line]
    assert len(errors) == 1
    assert errors[0].startswith(f"Error in the config: {message}")
    assert not study.results.exists()


def lidc(**options):
    """Change of the config: LIDC's own files are the one dataset."""
    return {
        "datasets": {
            "lidc_contours": None,
            "phantom": None,
            "lidc": {"source": "lidc", "options": options},
        }
    }


def refused(study, change):
    """What the one failing job says of a dataset's options."""
    done = study.snakemake("--cores", "1", "--until", "prepare", change=change)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    errors = [line for line in done.stdout.splitlines() if line.startswith("segue: error: ")]
    assert len(errors) == 1
    assert not list(study.results.parent.rglob("dataset.zarr"))
    return errors[0]


def test_a_negative_size_is_refused(study):
    change = {"datasets": {"lidc_contours": {"options": {"crop": -32}}, "phantom": None}}
    assert "crop: expected 16 to" in refused(study, change)


def test_a_missing_file_is_named(study, tmp_path):
    missing = tmp_path / "missing.pickle"
    done = study.snakemake("--cores", "1", "--until", "prepare", change=lidc(path=str(missing)))
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert f"datasets.lidc: no file {missing}; " in done.stdout
    assert "Nothing was run" in done.stdout


def test_a_wrong_checksum_is_refused(study, tmp_path):
    another = tmp_path / "data_lidc.pickle"
    another.write_bytes(pickle.dumps({}))
    message = refused(study, lidc(path=str(another), sha256="00"))
    assert f"{another}: sha256 is " in message
    assert "the settings expect 00" in message
