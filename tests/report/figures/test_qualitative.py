"""Images, raters, samples, predictions and uncertainty maps."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr

from segue import store
from segue.errors import InputError
from segue.evaluation.shown import choose
from segue.keys import SCORE_ROW
from segue.report import style
from segue.report.figures.qualitative import compose, draw
from segue.report.names import Names

CELLS = {("softmax", "ensemble"): (3, 1), ("ssn", "swag"): (2, 4), ("diffusion", "none"): (1, 2)}
MEASURES = ("TU", "AU", "EU")


def _pictures(figure):
    return [ax for ax in figure.axes if ax.images]


def _maps(figure):
    images = [ax.images[0] for ax in _pictures(figure)]
    return [image for image in images if image.get_array().ndim == 2]


def test_every_cell_shows_what_it_has(write_stores):
    figure = compose(*write_stores(CELLS), ["id"], 2)
    per_image = 2 + (2 + 4 + 2) + len(CELLS) * (1 + len(MEASURES))
    assert len(_pictures(figure)) == 2 * per_image
    assert sum(text.get_text() == "–" for ax in figure.axes for text in ax.texts) == 2 * (2 + 0 + 2)


def test_tu_and_au_share_a_colour_scale_and_eu_has_its_own(write_stores):
    images = _maps(compose(*write_stores(CELLS), ["id"], 2))
    assert len(images) == 2 * len(CELLS) * len(MEASURES)
    epistemic = images[MEASURES.index("EU") :: len(MEASURES)]
    for group in (epistemic, [image for image in images if image not in epistemic]):
        largest = max(image.get_array().max() for image in group)
        assert {image.get_clim() for image in group} == {(0, largest)}


def test_without_any_eu_its_maps_are_black(write_stores):
    dataset, cells = write_stores({("ssn", "none"): (1, 2)})
    stored = zarr.open_group(cells[0]["maps"])["id/uncertainty"]
    stored[:, MEASURES.index("EU")] = 0
    *_, epistemic = _maps(compose(dataset, cells, ["id"], 1))
    assert epistemic.cmap(epistemic.norm(epistemic.get_array()))[..., :3].max() < 0.02


def test_panels_show_the_chosen_image_of_the_stores(write_stores):
    dataset, cells = write_stores({("ssn", "swag"): (2, 2)})
    (chosen,) = choose(store.open_split(dataset, "id"), 1)
    figure = compose(dataset, cells, ["id"], 1)
    assert f"id, image {chosen}" in [ax.get_title() for ax in figure.axes]
    stored = store.open_split(Path(cells[0]["maps"]), "id")["uncertainty"][chosen]
    for image, measure in zip(_maps(figure), MEASURES, strict=True):
        np.testing.assert_array_equal(image.get_array(), stored.sel(measure=measure))


def test_the_caption_and_the_classes_are_printed(write_stores):
    figure = compose(*write_stores(CELLS, classes=4), ["id"], 1)
    assert figure.get_suptitle() == "Lungs (real masks, simulated CT)"
    raters, classes = (ax.get_legend() for ax in figure.axes if ax.get_legend())
    assert [text.get_text() for text in classes.get_texts()] == [f"tissue {i}" for i in range(4)]
    assert [text.get_text() for text in raters.get_texts()] == ["1", "2", "3"]


def test_files_are_the_same_whenever_drawn(write_stores, tmp_path):
    dataset, cells = write_stores({("ssn", "swag"): (2, 2)})
    for name in ("first", "second"):
        draw(tmp_path / name, dataset=str(dataset), cells=cells, splits=["id"], images=1)
    for ending in style.FORMATS:
        first, second = (tmp_path / f"{name}.{ending}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("layout", "pixels"),
    [
        ({"channels": 3, "classes": 3}, (12, 16)),
        ({"channels": 2}, (12, 16)),
        ({"shape": (12, 30), "images": 1}, (12, 30)),
        ({"shape": (200, 90)}, (100, 45)),  # a panel has 180 dots
    ],
)
def test_images_of_any_kind_are_drawn(layout, pixels, write_stores):
    figure = compose(*write_stores({("ssn", "swag"): (2, 2)}, **layout), ["id"], 1)
    figure.draw_without_rendering()
    assert {ax.images[0].get_array().shape[:2] for ax in _pictures(figure)} == {pixels}


def test_pictures_have_the_shape_of_the_image_and_do_not_overlap(write_stores):
    figure = compose(*write_stores(CELLS, shape=(12, 24)), ["id"], 2)
    figure.draw_without_rendering()
    boxes = [ax.get_window_extent() for ax in _pictures(figure)]
    for box in boxes:
        assert box.height / box.width == pytest.approx(0.5, rel=1e-6)
        assert sum(box.overlaps(other) for other in boxes) == 1


def test_names_of_any_length_stay_beside_their_row(write_stores):
    long = {("a_model_of_some_university", "a_method_of_another_one"): (2, 2)}
    figure = compose(*write_stores(long | CELLS), ["id"], 2)
    figure.draw_without_rendering()
    labels = [ax.yaxis.label for ax in figure.axes if ax.get_ylabel()]
    boxes = [label.get_window_extent() for label in labels]
    assert len(boxes) == 2 * (1 + len(CELLS))
    pictures = [ax.get_window_extent() for ax in _pictures(figure)]
    for box in boxes:
        assert sum(box.overlaps(other) for other in [*boxes, *pictures]) == 1


def test_a_split_that_is_not_there_is_named(write_stores):
    dataset, cells = write_stores(CELLS)
    with pytest.raises(InputError, match="no split 'ood_blur'"):
        compose(dataset, cells, ["ood_blur"], 1)


def test_an_image_has_its_scores_in_the_panels(write_stores, tmp_path):
    dataset, cells = write_stores({("ssn", "swag"): (2, 2)})
    (chosen,) = choose(store.open_split(dataset, "id"), 1)
    rows = [
        ("corrected", "segmentation", "dice", "id", "", chosen, 0.123),
        ("paper_code", "segmentation", "dice", "id", "", chosen, 0.9),
        ("corrected", "segmentation", "dice", "id", "", (chosen + 1) % 5, 0.8),
        ("corrected", "segmentation", "dice", "val", "", chosen, 0.7),
        ("corrected", "ambiguity", "ncc", "id", "AU", chosen, -0.456),
        ("corrected", "ambiguity", "ncc", "id", "EU", chosen, None),
        ("corrected", "truth_aleatoric", "ncc", "id", "EU", chosen, 0.6),
    ]
    names = ["variant", "task", "metric", "split", "measure", "image", "score"]
    table = pd.DataFrame(rows, columns=names).assign(replicate=0)
    table.reindex(columns=SCORE_ROW).to_csv(tmp_path / "scores.csv", index=False)
    figure = compose(dataset, cells, ["id"], 1, scores=[tmp_path / "scores.csv"])
    texts = [text.get_text() for ax in figure.axes for text in ax.texts if text.get_text()]
    assert texts == ["Dice 0.12", "NCC -0.46"]


def test_any_splits_are_shown_and_ood_stands_for_all_shifted_ones(write_stores):
    splits = ("val", "id", "ood_blur", "ood_noise")
    figure = compose(*write_stores({("ssn", "swag"): (2, 2)}, splits=splits), ["id", "ood"], 1)
    titles = [ax.get_title().split(",")[0] for ax in figure.axes if "image" in ax.get_title()]
    assert titles == ["id", "ood_blur", "ood_noise"]


def test_without_a_shifted_split_ood_is_an_error(write_stores):
    with pytest.raises(InputError, match=r"no shifted split; name others in figures\.qualitative"):
        compose(*write_stores(CELLS), ["ood"], 1)


def test_a_label_of_the_dataset_is_its_heading(write_stores):
    names = Names(datasets={"lung": "Nodules"}, aleatoric={"ssn": "SSN"})
    figure = compose(*write_stores({("ssn", "swag"): (2, 2)}), ["id"], 1, "lung", names=names)
    assert figure.get_suptitle() == "Nodules"
    assert "SSN ×\nswag" in [ax.get_ylabel() for ax in figure.axes]
    assert figure.get_figwidth() == style.PAGE
