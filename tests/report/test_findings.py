import numpy as np
import pandas as pd
import pytest
from drawn import joints_of

from segue.keys import MEANS
from segue.report.findings import Study, findings
from segue.report.health import health
from segue.report.published import published_ranks
from segue.report.ranks import summary

CORRECTED, PAPER_CODE = "corrected", "paper_code"
NOTHING = pd.DataFrame(columns=MEANS)


def _ranking(changes=()):
    """The published ranks of one dataset as those of two replicates; ``changes``: cell -> rank."""
    ranks = published_ranks().rename(columns={"mean_rank": "rank"}).drop(columns="ci95_halfwidth")
    ranks = ranks[ranks["dataset"] == "lidc"].assign(dataset="lung")
    for (epistemic, aleatoric), rank in dict(changes).items():
        here = (ranks["epistemic"] == epistemic) & (ranks["aleatoric"] == aleatoric)
        ranks.loc[here, "rank"] = rank
    return pd.concat(
        [
            ranks.assign(task=task, replicate=replicate)
            for task in ("ood", "overall")
            for replicate in range(2)
        ]
    )


def _findings(rankings, published=(), means=NOTHING):
    summaries = pd.concat(
        [summary(each, ["table", "task"]).assign(variant=name) for name, each in rankings.items()],
        ignore_index=True,
    )
    joints = joints_of(rankings, noise=0.3)
    deltas = pd.DataFrame(columns=["variant", "dataset"])
    study = Study(rankings, summaries, deltas, joints, health(means), dict(published), 0)
    return {found.name: found for found in findings(study)}


@pytest.fixture(scope="module")
def both():
    changed = _ranking({("ensemble", "softmax"): 19.0})
    return _findings({CORRECTED: _ranking(), PAPER_CODE: changed}, {"lung": "lidc"})


def test_variants_stand_side_by_side_with_their_change(both):
    table = both["variants"].table
    assert list(table.columns) == [
        *("dataset", "table", "task", "epistemic", "aleatoric"),
        *(CORRECTED, PAPER_CODE, f"change_{PAPER_CODE}"),
    ]
    assert len(table) == 2 * 2 * 19
    changed = table[table[f"change_{PAPER_CODE}"] != 0].set_index(["table", "task"])
    assert set(changed["epistemic"] + changed["aleatoric"]) == {"ensemblesoftmax"}
    expected = {"performance": 19 - 3.7, "entanglement": 19 - 5.3}
    for (name, _), row in changed.iterrows():
        assert row[f"change_{PAPER_CODE}"] == pytest.approx(expected[name])


def test_the_reader_sees_the_variants_over_all_tasks_table_by_table(both):
    shown = both["variants"].shown
    assert len(shown) == 2 * 19
    assert list(dict.fromkeys(shown["table"])) == ["performance", "entanglement"]
    assert shown["table"].is_monotonic_decreasing


def test_one_variant_is_compared_with_none():
    found = _findings({CORRECTED: _ranking()})
    assert list(found) == [
        *("conclusions", "published_comparison", "friedman", "validity", "health")
    ]
    assert set(found["conclusions"].table["variant"]) == {CORRECTED}


def test_every_finding_tells_the_variants_apart(both):
    for name in ("conclusions", "published_comparison", "friedman"):
        assert set(both[name].table["variant"]) == {CORRECTED, PAPER_CODE}


def test_a_conclusion_may_hold_under_one_variant_only(both):
    table = both["conclusions"].table.set_index(["conclusion", "variant"])
    assert table.loc[("ensembles_best_ood", CORRECTED), "holds"] == "yes"
    # with softmax at 19, ensembles' mean over softmax, ssn, prob_unet, diffusion is 9.75: behind
    # dropout's, (9.4 + 7.6 + 11.3 + 9.0)/4 = 9.325
    row = table.loc[("ensembles_best_ood", PAPER_CODE)]
    assert row["value"] == pytest.approx(9.75 - 9.325)
    assert row["holds"] == "no"
    shown = both["conclusions"].shown
    (line,) = shown[shown["statement"].str.contains("best epistemic")].itertuples()
    assert line.corrected.startswith("yes: -")
    assert line.paper_code.startswith("no: 0.42 [0.")
    assert line.paper_code.endswith(", 0 % of replicates")
    assert shown["by chance"].str.fullmatch(r"\d+ %|").all()
    assert "Fewer than three replicates" in both["conclusions"].text


def test_agreement_with_the_paper_is_over_all_tasks(both):
    table = both["published_comparison"].table
    assert list(table.columns) == [
        *("dataset", "table", "variant", "spearman", "low", "high"),
        *("chance_low", "chance_high", "p_value", "yardstick"),
    ]
    corrected = table[table["variant"] == CORRECTED]
    np.testing.assert_allclose(corrected["spearman"], 1)
    assert (table.loc[table["variant"] == PAPER_CODE, "spearman"] < 1).all()


def test_what_is_made_again_is_the_same(both):
    again = _findings(
        {CORRECTED: _ranking(), PAPER_CODE: _ranking({("ensemble", "softmax"): 19.0})},
        {"lung": "lidc"},
    )
    for name, found in both.items():
        pd.testing.assert_frame_equal(found.table, again[name].table)


def test_without_truth_and_without_draws_the_tables_say_so(both):
    assert both["validity"].table.empty
    assert both["validity"].text.startswith("No dataset of this study has the raters' true")
    assert both["health"].table.empty
    assert "was not scored" in both["health"].text
