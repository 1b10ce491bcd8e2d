"""Maps of cells."""

from segue.report.page.grids import maps, tasks
from segue.report.page.material import read


def test_there_is_a_map_of_both_tables_and_of_each_task(study):
    material = read(study)
    found = list(maps(material, "discs", "corrected"))
    assert {(each.table, each.task) for each in found} == {
        (table, task)
        for table in ("performance", "entanglement")
        for task in ("overall", "ood", "ambiguity", "calibration")
    }
    assert tasks(material)[0] == found[0].task == "overall"


def test_a_place_says_what_the_table_does(study):
    material = read(study)
    ranks = material.table("mean_ranks")
    ranks = ranks[(ranks["variant"] == "jackknife") & (ranks["task"] == "ood")]
    by_key = ranks.set_index(["table", "cell"])
    for each in maps(material, "discs", "jackknife"):
        if each.task != "ood":
            continue
        for row in each.rows.values():
            for place in row:
                if place is None:
                    continue
                expected = by_key.loc[each.table, place.cell]
                assert place.rank == f"{expected['mean_rank']:.1f}"
                assert place.share == 1 - (expected["mean_rank"] - 1) / 2  # of three cells
                ends = f"{expected['low']:.1f} to {expected['high']:.1f}"
                assert place.said.endswith(f"of 3, 95 % interval {ends}")


def test_what_is_not_applicable_has_no_place_and_what_fails_has_a_dagger(study):
    material = read(study)
    material.tables["health"].loc[0, "ok"] = "no"
    cell = material.tables["health"]["cell"][0]
    ranks = material.tables["mean_ranks"]
    material.tables["mean_ranks"] = ranks[ranks["cell"] == cell]
    places = [p for row in next(maps(material, "discs", "corrected")).rows.values() for p in row]
    assert None in places
    (there,) = (place for place in places if place)
    assert there.mark == " †"
