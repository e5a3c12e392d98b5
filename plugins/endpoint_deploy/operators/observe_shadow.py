"""Observe the candidate as a shadow of the champion, until it may take over."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import Context

from endpoint_deploy.aws.metric_data import Unreadable
from endpoint_deploy.aws.variant_metrics import Seen, seen_by
from endpoint_deploy.core.plan import Observation, Plan
from endpoint_deploy.core.release_spec import ShadowRelease
from endpoint_deploy.core.slots import filled
from endpoint_deploy.core.stale import stale
from endpoint_deploy.errors import NotAsPlanned, ReleaseFailed
from endpoint_deploy.task_base import SLACK, ReleaseTask
from endpoint_deploy.task_links import ON_THE_ENDPOINT

_WORTH_DEFERRING = 4.0  # seconds: a deferral itself takes some three
_METRICS_LATE = timedelta(minutes=2)  # SageMaker's metrics come once a minute


class _Known(NamedTuple):
    """What CloudWatch has of both variants, and why that is not enough."""

    variants: dict[str, Seen]
    why_not: str | None


class ObserveShadowOperator(ReleaseTask):
    """Look at the shadow's alarms, and the spec's, for as long as the spec asks for.

    A retry observes anew. Returns what champion and shadow have seen meanwhile: what cannot be read is waited
    for, and then is no reason to let it take over.
    """

    operator_extra_links = ON_THE_ENDPOINT

    def perform(
        self, context: Context, *, resumed: bool = False, began: float | None = None, **carried: Any
    ) -> dict[str, Any]:
        """Observe; raises ReleaseFailed where the shadow must not take over."""
        plan = self.plan_of(context)
        observe, release = filled(plan.observe), self.spec.release
        if not isinstance(release, ShadowRelease):
            raise NotAsPlanned("the spec has changed since the plan was made; clear from `plan`")
        self.hold_lock(context)
        began = time.time() if began is None else began
        while True:
            self._look(plan)
            left = observe.seconds - (time.time() - began)
            if left <= 0:
                break
            self._pause(min(left, release.look_seconds), began)
        return self._judge(observe, datetime.fromtimestamp(began, UTC), began)

    def look_again(self, context: Context, event: Any = None, *, began: float) -> Any:
        """After a pause: the same work again."""
        return self._under_policy(context, lambda: self.perform(context, resumed=True, began=began))

    def _look(self, plan: Plan) -> None:
        seen = self.hook.find_endpoint(plan.endpoint)
        self.skip_where_final(plan, seen)
        if seen is None or seen.config != plan.staged_on:
            raise stale(plan, seen)
        own = tuple(alarm.name for alarm in plan.alarms)
        states = self.hook.alarm_states((*own, *self.spec.alarms))
        if gone := [name for name in own if name not in states]:
            raise NotAsPlanned(f"alarm {', '.join(gone)} is gone; clear from `create_alarms`")
        if ringing := [name for name, state in states.items() if state == "ALARM"]:
            raise ReleaseFailed(
                f"{', '.join(ringing)} went to ALARM while the candidate was a shadow; expected OK. No "
                "client has met it"
            )

    def _judge(self, observe: Observation, since: datetime, began: float) -> dict[str, Any]:
        """What both have seen; waits while CloudWatch may not have heard of the last requests yet."""
        heard = since + timedelta(seconds=observe.seconds) + _METRICS_LATE
        while (found := self._seen(observe, since)).why_not:
            if datetime.now(UTC) >= heard:
                raise ReleaseFailed(f"{found.why_not}: nothing is known of it")
            self._pause(self._look_seconds, began)
        return {
            "seconds": observe.seconds,
            "variants": {name: each.model_dump() for name, each in found.variants.items()},
        }

    @property
    def _look_seconds(self) -> float:
        release = self.spec.release
        return release.look_seconds if isinstance(release, ShadowRelease) else _WORTH_DEFERRING

    def _seen(self, observe: Observation, since: datetime) -> _Known:
        names = (observe.champion, observe.shadow)
        try:
            found = seen_by(self.hook.cloudwatch, self.spec.endpoint_name, names, since=since)
        except Unreadable as error:
            return _Known({}, f"what the shadow has seen cannot be read: {error}")
        requests = found[observe.shadow].requests
        if requests < observe.least_requests:
            return _Known(
                found,
                f"the shadow has seen {requests} requests in {observe.seconds} seconds, expected at least "
                f"{observe.least_requests} (release.least_requests)",
            )
        return _Known(found, None)

    def _pause(self, seconds: float, began: float) -> None:
        if seconds < _WORTH_DEFERRING:
            time.sleep(seconds)
            return
        pause = timedelta(seconds=seconds)
        self.defer(
            trigger=TimeDeltaTrigger(pause),
            method_name="look_again",
            kwargs={"began": began},
            timeout=pause + SLACK,
        )
