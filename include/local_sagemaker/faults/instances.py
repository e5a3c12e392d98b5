"""Faults of instances: on their way up, at their requests, and in the middle of a spot job's run."""

import json
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local_sagemaker.clock import Clock
from local_sagemaker.faults.engine import (
    Active,
    FaultRules,
    Place,
    matches_replica,
    matches_start,
)
from local_sagemaker.faults.latency import draw
from local_sagemaker.faults.rules import (
    AnyRule,
    InsufficientCapacity,
    ProvisioningRule,
    ReplicaDies,
    ReplicaErrors,
    ReplicaHangs,
    ReplicaLeaks,
    ReplicaRule,
    ReplicaSlow,
    SlowProvisioning,
    SpotInterruption,
    StuckProvisioning,
)

# How the front tells an instance what is to go wrong with the request at hand.
HEADER = "x-local-sagemaker-fault"
_MEGABYTE = 1024 * 1024
_DIFFERENT_TYPE = "Please retry using a different ML instance type."


class NoCapacity(Exception):
    """An instance cannot be had; the message is the FailureReason of the endpoint or job."""


@dataclass(eq=False)
class ReplicaFaults:
    """The faults of one process behind an endpoint; `kill` is set by who starts it."""

    place: Place
    rules: FaultRules
    kill: Callable[[], None] = lambda: None

    def of_request(self) -> dict[str, str]:
        """The headers to send with a request, empty unless something is to go wrong with it."""
        return self._headers(ReplicaRule, lambda rule: not isinstance(rule, ReplicaHangs) and not _now(rule))

    def of_ping(self) -> dict[str, str]:
        """The headers to send with a ping."""
        return self._headers(ReplicaHangs, lambda _rule: True)

    def hit_now(self) -> bool:
        """Whether a rule that was just made says that the process dies."""
        matches = matches_replica(self.place)
        return self.rules.hit(ReplicaDies, lambda rule: rule.now and matches(rule)) is not None

    def _headers(self, kind: type[Any], meant: Callable[[Any], bool]) -> dict[str, str]:
        if not self.rules.any_of(kind):
            return {}
        matches = matches_replica(self.place)
        hit = self.rules.hit(kind, lambda rule: meant(rule) and matches(rule))
        if hit is None:
            return {}
        told: dict[str, Any]
        match hit.rule:
            case ReplicaDies():
                told = {"die": True}
            case ReplicaLeaks(megabytes=size, limit_megabytes=limit):
                told = {"leak": int(size * _MEGABYTE), "limit": int(limit * _MEGABYTE) if limit else None}
            case ReplicaSlow(delay=delay):
                told = {"delay": draw(delay, hit.chance)}
            case ReplicaErrors(status=status, body=body):
                told = {"status": status, "body": body}
            case _:
                told = {"hang": True}
        return {HEADER: json.dumps(told)}


class InstanceFaults:
    """Asked by whoever starts instances, for endpoints or for jobs."""

    def __init__(self, rules: FaultRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._replicas: weakref.WeakSet[ReplicaFaults] = weakref.WeakSet()

    async def before_start(self, place: Place) -> None:
        """Wait as long as the instance's provisioning is to take longer; raises NoCapacity."""
        if not self._rules.any_of(ProvisioningRule):
            return
        hit = self._rules.hit(ProvisioningRule, matches_start(place))
        match hit.rule if hit else None:
            case SlowProvisioning(seconds=seconds):
                await self._clock.sleep(seconds)
            case StuckProvisioning() if hit:
                await hit.lifted.wait()
            case InsufficientCapacity():
                raise NoCapacity(_reason(place))

    def of_replica(self, place: Place) -> ReplicaFaults:
        """The faults of a process that is about to be started there."""
        faults = ReplicaFaults(place, self._rules)
        self._replicas.add(faults)
        return faults

    def of_spot_run(self, training_job: str) -> float | None:
        """After how many real seconds a run of a managed spot job is interrupted, or None if it is not.

        To be asked each time an instance begins, or goes on, with the job.
        """
        if not self._rules.any_of(SpotInterruption):
            return None
        hit = self._rules.hit(SpotInterruption, lambda rule: fnmatchcase(training_job, rule.training_job))
        return hit.rule.after_seconds if hit and isinstance(hit.rule, SpotInterruption) else None

    def add(self, rules: Iterable[AnyRule]) -> list[Active]:
        """Put rules in force; those that are to happen now do so before this returns."""
        made = self._rules.add(rules)
        if any(_now(active.rule) for active in made):
            for replica in sorted(self._replicas, key=lambda each: (each.place.name, each.place.index)):
                if replica.hit_now():
                    replica.kill()
        return made


def _now(rule: object) -> bool:
    return isinstance(rule, ReplicaDies) and rule.now


def _reason(place: Place) -> str:
    """As reports of the real service quote it (aws/deep-learning-containers 6673, for an endpoint)."""
    if place.kind == "endpoint":
        return (
            "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. "
            f"{_DIFFERENT_TYPE}"
        )
    return f"CapacityError: Unable to provision requested ML compute capacity. {_DIFFERENT_TYPE}"
