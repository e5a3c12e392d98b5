"""Whether an alarm's data points put it into ALARM (CloudWatch guide, Alarm evaluation)."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Treatment = Literal["missing", "ignore", "breaching", "notBreaching"]
# "CloudWatch attempts to retrieve a higher number of data points than the number specified as Evaluation
# Periods"; the guide's examples retrieve two more.
EXTRA_POINTS = 2

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Rule:
    """M out of N: `to_alarm` of the last `periods` points breaching; `treatment` is of missing ones."""

    periods: int
    to_alarm: int
    treatment: Treatment


def decide(rule: Rule, breaching: Sequence[bool | None], current: State) -> State:
    """The state after an evaluation.

    `breaching` is the evaluation range, the newest last: None for a missing point. Real points are
    preferred to missing ones, as far back as the range goes; only what is still lacking is filled in as
    `treatment` says.
    """
    real = [point for point in breaching if point is not None]
    if len(real) >= rule.periods:
        return "ALARM" if sum(real[-rule.periods :]) >= rule.to_alarm else "OK"
    lacking = rule.periods - len(real)
    if rule.treatment == "breaching":
        return "ALARM" if sum(real) + lacking >= rule.to_alarm else "OK"
    if rule.treatment == "notBreaching" or sum(real) >= rule.to_alarm:
        return "ALARM" if sum(real) >= rule.to_alarm else "OK"
    if not real:
        return "INSUFFICIENT_DATA" if rule.treatment == "missing" else current
    if not all(real):
        return "OK"
    # Only breaching points, too few of them. The alarm does not go off while the next point may show
    # otherwise, but does once the oldest of them is as old as Datapoints to Alarm (the guide's
    # "premature alarm state").
    age = len(breaching) - breaching.index(True)
    return "ALARM" if rule.treatment == "missing" and age >= rule.to_alarm else current
