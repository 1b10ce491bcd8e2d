from segue.keys import CELL, INTERVAL_ROW, LIMITS, MEANS, METHODS, OF, REPLICATE, SCORE, SCORE_ROW


def test_the_sets_are_made_of_each_other():
    assert set(CELL) == {"dataset", *METHODS}
    assert set(SCORE_ROW) == {"study", *REPLICATE, *SCORE, "image", "name", "score"}
    assert set(INTERVAL_ROW) == {*REPLICATE, *SCORE, *LIMITS, *OF}
    for columns in (CELL, METHODS, REPLICATE, SCORE, SCORE_ROW, INTERVAL_ROW, MEANS):
        assert len(set(columns)) == len(columns)
