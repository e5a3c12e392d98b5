"""What a look is of, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from pydantic import AwareDatetime, Field

from endpoint_deploy.analysis.spread import Spread
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.judge.verdicts import Judgement, MetricVerdict
from endpoint_deploy.judge.way_on import WayOn


class Sides(Strict):
    """Who is compared: each side's variants, with their weights among themselves."""

    candidate: dict[str, float] = Field(min_length=1)
    champion: dict[str, float] = Field(min_length=1)


@dataclass(frozen=True)
class Subject:
    """A release under analysis.

    run_key: what tells this release from others of the endpoint in the store, such as the run's own key.
    """

    hook: EndpointHook
    deployment: Deployment
    sides: Sides
    run_key: str


class Stage(Strict):
    """One comparison of its own within a release: a step of traffic, or the watch after it.

    since: when it began, which must be the same for every look at it; of: how many stages the release has
    in all, which share the false alarms.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=40)
    since: AwareDatetime
    of: int = Field(default=1, ge=1)

    @property
    def key(self) -> str:
        """The stage in names: a release that is run anew begins its stages anew."""
        return f"{self.name}-{self.since:%Y%m%dT%H%M%S}"


class Look(Strict):
    """One look at a stage: what was found, what follows, and in short what it rests on.

    spreads: of the metrics that have one, by name; kept: the s3:// folder of the stage's looks.
    """

    stage: str
    number: int
    since: datetime
    at: datetime
    judgement: Judgement
    on: WayOn
    measured: dict[str, Any] = Field(default={})
    spreads: dict[str, Spread] = Field(default={})
    kept: str = ""

    @property
    def evidence(self) -> dict[str, Any]:
        """All of it that a record of the ledger keeps: verdict, numbers and sentences."""
        return {
            "stage": self.stage,
            "looks": self.number,
            "verdict": self.judgement.verdict.value,
            "way": self.on.way.value,
            "reason": self.on.reason,
            "metrics": [_evidence(each, self.spreads.get(each.metric)) for each in self.judgement.metrics],
            "measured": self.measured,
            "kept": self.kept,
        }


def _evidence(metric: MetricVerdict, spread: Spread | None) -> dict[str, Any]:
    found = metric.numbers.model_dump(exclude_none=True) if metric.numbers else {}
    numbers = {name: value for name, value in found.items() if isfinite(value)}  # JSON has no others
    return {
        "metric": metric.metric,
        "verdict": metric.verdict.value,
        "reason": metric.reason,
        **({"dry_run": True} if metric.dry_run else {}),
        **({} if metric.must_pass else {"must_pass": False}),
        **({"numbers": numbers} if numbers else {}),
        **({"spread": spread.model_dump(mode="json", exclude_defaults=True)} if spread else {}),
    }


def sides_of(plan: Plan) -> Sides | None:
    """Champion and candidate of a plan; None where they do not stand side by side."""
    if plan.roll_back_to is None or plan.retire is None or not plan.proves:
        return None
    champion = {v.name: v.weight for v in plan.roll_back_to.variants if v.name not in plan.proves}
    weights = {v.name: v.weight for v in plan.retire.variants}
    candidate = {name: weights.get(name, 1.0) for name in plan.proves}
    served = {name: weight for name, weight in champion.items() if weight > 0}
    return Sides(candidate=candidate, champion=served or champion) if champion else None
