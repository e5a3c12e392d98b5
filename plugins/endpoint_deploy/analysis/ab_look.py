"""One look at an A/B test: read the metric, look at it, say how the test stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from endpoint_deploy.analysis.ab_words import evidence, sentence
from endpoint_deploy.analysis.look import Sides
from endpoint_deploy.analysis.success import success_windows
from endpoint_deploy.core.ab_spec import SuccessMetric
from endpoint_deploy.core.stages import TestRecord
from endpoint_deploy.judge.measurements import Unavailable
from endpoint_deploy.judge.winner import Named, Standing, look_at

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@dataclass(frozen=True)
class AbLook:
    """What a look has found. silent: there is no data to go by; exhausted: more would prove nothing."""

    winner: str
    said: str
    silent: bool
    exhausted: bool
    standing: dict[str, Any]
    evidence: dict[str, Any]


def take_ab_look(
    cloudwatch: "CloudWatchClient",
    endpoint: str,
    sides: Sides,
    metric: SuccessMetric,
    test: TestRecord,
    *,
    now: datetime,
    may_win: bool,
) -> AbLook:
    """Look once more; what cannot be read names no winner, and spends nothing.

    may_win: whether the candidate may win yet. Each test that a person has begun anew makes half of the
    errors of the one before: all of them together make less than twice the spec's.
    """
    previous = Standing.model_validate(test.standing) if test.standing else None
    windows = success_windows(cloudwatch, endpoint, sides, metric, since=test.since, now=now)
    if isinstance(windows, Unavailable):
        looked = 1 + (previous.look if previous else 0)
        kept = previous or Standing()
        standing = kept.model_copy(update={"look": looked, "winner": Named.NOBODY, "lacks": windows.reason})
        said = windows.reason
    else:
        standing = look_at(metric, windows, previous, may_win=may_win, errors=errors_of(test.number))
        said = sentence(metric, standing)
    return AbLook(
        winner=standing.winner.value,
        said=said,
        silent=standing.lacks is not None,
        exhausted=standing.exhausted,
        standing=standing.model_dump(mode="json"),
        evidence=evidence(metric, standing, stage=str(test.number), said=said),
    )


def errors_of(number: int) -> float:
    """The share of the errors allowed that a test may make, of which a person had others begun."""
    return 1.0 if number == 1 else 0.5 ** (number - 1)
