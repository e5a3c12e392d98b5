"""How an A/B test reads in the run's reason, and in what `show` prints of its record."""

import pytest

from endpoint_deploy.analysis.ab_words import evidence, sentence
from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.core.render_analysis import analysis_lines, taken_out
from endpoint_deploy.judge.measurements import SuccessWindow
from endpoint_deploy.judge.winner import Standing, look_at

METRIC = SuccessMetric(namespace="Shop", name="Converted", least_difference=10, least_samples=10)


def standing(*counts: int) -> Standing:
    return look_at(METRIC, [SuccessWindow(*counts)])


@pytest.mark.parametrize(
    ("counts", "begins", "has"),
    [
        (
            (1000, 400, 1000, 200),
            "the candidate wins, proven better than the champion. Shop Converted: candidate 40.00% (36.9",
            "champion 20.00% (17.56% to 22.62%, 200 of 1000); gain +20.00 points (+16.",
        ),
        (
            (1000, 200, 1000, 200),
            "the champion wins: the candidate is proven not to be better by 10 points. Shop Converted",
            "gain +0.00 points (",
        ),
        (
            (60, 16, 60, 10),
            "no winner yet, with 12% of the samples needed. Shop Converted: candidate 26.67%",
            "10 points wanted",
        ),
        ((0, 0, 0, 0), "no data: Shop Converted has no sample of either side since the test began", ""),
        ((9, 4, 20, 4), "Shop Converted: found 9 samples of the candidate and 20 of the champion", ""),
    ],
)
def test_the_sentence_names_the_winner_with_both_rates(
    counts: tuple[int, int, int, int], begins: str, has: str
) -> None:
    said = sentence(METRIC, standing(*counts))
    assert said.startswith(begins)
    assert has in said


def test_what_show_prints_of_a_test() -> None:
    found = standing(1000, 400, 1000, 200)
    kept = evidence(METRIC, found, stage="1", said=sentence(METRIC, found)) | {"way": "go_on"}
    stage = {"name": "50-percent", "analysis": None, "test": {"number": 1, "evidence": kept}}
    looks, rest = taken_out({"shift_traffic": {"stages": [stage]}})
    assert rest == {"shift_traffic": {"stages": [{"name": "50-percent"}]}}
    lines = list(analysis_lines(looks))
    assert lines[0] == (1, "A/B test 1: winner: candidate at the first look, then go_on")
    assert lines[1][1].startswith("why: the candidate wins")
    numbers = kept["metrics"][0]["numbers"]
    assert numbers["candidate"] == {
        "trials": 1000,
        "successes": 400,
        "rate": 0.4,
        "low": pytest.approx(0.3694, abs=1e-4),
        "high": pytest.approx(0.4311, abs=1e-4),
    }
