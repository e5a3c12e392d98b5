"""The guide's own examples of how missing data is treated (CloudWatch guide, Alarm evaluation)."""

import pytest

from local_sagemaker.cloudwatch.alarm_rules import Rule, decide

STAY = "retain current state"
OK, ALARM, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")

# The guide's tables: data points, Datapoints to Alarm, and the state by treatment. Evaluation Periods
# is 3 and the evaluation range 5 in all of them.
TABLE = [
    ("0 - X - X", 3, (OK, OK, OK, OK)),
    ("0 - - - -", 3, (OK, OK, OK, OK)),
    ("- - - - -", 3, (UNKNOWN, STAY, ALARM, OK)),
    ("0 X X - X", 3, (ALARM, ALARM, ALARM, ALARM)),
    ("- - X - -", 3, (ALARM, STAY, ALARM, OK)),
    ("0 - X - X", 2, (ALARM, ALARM, ALARM, ALARM)),
    ("0 0 X 0 X", 2, (ALARM, ALARM, ALARM, ALARM)),
    ("0 - X - -", 2, (OK, OK, ALARM, OK)),
    ("- - - - 0", 2, (OK, OK, ALARM, OK)),
    ("- - - X -", 2, (ALARM, STAY, ALARM, OK)),
]
CASES = [
    (data, to_alarm, treatment, state)
    for data, to_alarm, states in TABLE
    for treatment, state in zip(TREATMENTS, states, strict=True)
]


def points(data: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[symbol] for symbol in data.split()]


@pytest.mark.parametrize("current", [OK, ALARM, UNKNOWN])
@pytest.mark.parametrize(("data", "to_alarm", "treatment", "state"), CASES)
def test_states_are_those_of_the_guides_tables(data, to_alarm, treatment, state, current):
    found = decide(Rule(3, to_alarm, treatment), points(data), current)
    assert found == (current if state == STAY else state)


@pytest.mark.parametrize("data", ["- - - - X", "- - - X -"])
@pytest.mark.parametrize("current", [OK, UNKNOWN])
def test_a_single_breaching_point_is_no_alarm_while_the_next_may_be_good(data, current):
    assert decide(Rule(3, 3, "missing"), points(data), current) == current


def test_points_beyond_the_periods_do_not_count_when_enough_are_newer():
    assert decide(Rule(3, 2, "missing"), points("X X 0 0 X"), OK) == OK
