"""What follows from a judgement: each verdict has a limit of its own and a way on of its own."""

from enum import StrEnum

from endpoint_deploy.core.judging import Limits
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.judge.verdicts import Judgement, Verdict


class Way(StrEnum):
    """Promote, take back, look again after more samples, bring requests of one's own, ask a person."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    LOOK_AGAIN = "look_again"
    REPLAY = "replay"
    ASK = "ask"


class WayOn(Strict):
    """Where to go, and why."""

    way: Way
    reason: str


def way_on(judgement: Judgement, limits: Limits, *, may_replay: bool) -> WayOn:
    """Every way ends: what is neither good nor bad is looked at again a limited number of times.

    may_replay: whether there are requests to replay that have not been yet.
    """
    if judgement.verdict is Verdict.PASS:
        return WayOn(way=Way.PROMOTE, reason=judgement.reason)
    if judgement.verdict is Verdict.FAIL:
        return _limited(judgement, limits.fails, Way.ROLL_BACK)
    counted = [each for each in judgement.metrics if each.counts]
    if any(each.no_traffic for each in counted):
        if may_replay:
            return WayOn(way=Way.REPLAY, reason=f"there is no traffic to judge by: {judgement.reason}")
        return _limited(judgement, limits.errors, Way.ASK)
    if judgement.verdict is Verdict.ERROR:
        return _limited(judgement, limits.errors, Way.ASK)
    open_ = [each for each in counted if each.verdict is Verdict.INCONCLUSIVE]
    if all(each.exhausted for each in open_):
        return WayOn(way=Way.ASK, reason=f"more samples would prove nothing: {judgement.reason}")
    return _limited(judgement, limits.inconclusive, Way.ASK)


def _limited(judgement: Judgement, limit: int, then: Way) -> WayOn:
    """Look again until the limit is reached."""
    if judgement.in_a_row >= limit:
        times = f", {judgement.in_a_row} times in a row" if judgement.in_a_row > 1 else ""
        return WayOn(way=then, reason=f"{judgement.verdict}{times}: {judgement.reason}")
    return WayOn(
        way=Way.LOOK_AGAIN,
        reason=f"{judgement.verdict}, {judgement.in_a_row} of {limit} in a row: {judgement.reason}",
    )
