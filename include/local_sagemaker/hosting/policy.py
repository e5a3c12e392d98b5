"""How a deployment proceeds: the DeploymentConfig of a request, read and checked."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from local_sagemaker.api import errors
from local_sagemaker.hosting.records import Deployment, Variant

Kind = Literal["ALL_AT_ONCE", "CANARY", "LINEAR", "ROLLING"]
_HALF = 50
_LEAST_LINEAR = 10
_LEAST_BATCH = 5
_WHOLE = 100
_ROUNDING = 1e-9  # 49 times 1/49 is one
# "Endpoints that use Inf1 (Inferentia-based) instances" (hosting guide, Exclusions).
_EXCLUDED_INSTANCES = "ml.inf1."


@dataclass(frozen=True)
class Size:
    """A CapacitySize: a number of instances, or a percentage of the variant's."""

    percent: bool
    value: int

    def instances(self, count: int) -> int:
        """Whole instances out of `count`: a percentage is rounded down, but never to none."""
        return max(1, count * self.value // _WHOLE) if self.percent else min(self.value, count)

    def outside(self, count: int, low: int, high: int) -> bool:
        """Whether it is less than `low` or more than `high` percent of `count` instances."""
        if self.percent:
            return not low <= self.value <= high
        return not low * count <= self.value * _WHOLE <= high * count


@dataclass(frozen=True)
class Policy:
    """A deployment policy in force; times are the service's seconds.

    `step` is what is moved at a time: the canary, the linear step or the rolling batch. `wait` is the
    baking period after each such step but a blue/green deployment's last; that one has
    `termination_wait`. `limit` is the maximum execution time, None where there is none.
    """

    kind: Kind = "ALL_AT_ONCE"
    step: Size | None = None
    wait: float = 0
    termination_wait: float = 0
    limit: float | None = None
    rollback_step: Size | None = None
    alarms: tuple[str, ...] = ()

    def steps(self, count: int) -> Iterator[int]:
        """How many of a variant's `count` new instances have traffic, step after step, up to all."""
        active = self.step.instances(count) if self.step else count
        while active < count:
            yield active
            active = count if self.kind == "CANARY" else active + active_step(self.step, count)
        yield count


def active_step(step: Size | None, count: int) -> int:
    """The instances that one step adds."""
    return step.instances(count) if step else count


def policy_of(config: dict[str, Any] | None) -> Policy:
    """The policy a DeploymentConfig asks for; all at once with no baking without one."""
    config = config or {}
    alarms = tuple(
        alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    )
    if rolling := config.get("RollingUpdatePolicy"):
        return Policy(
            kind="ROLLING",
            step=_size(rolling["MaximumBatchSize"]),
            wait=rolling["WaitIntervalInSeconds"],
            limit=rolling.get("MaximumExecutionTimeoutInSeconds"),
            rollback_step=_size(rolling.get("RollbackMaximumBatchSize")),
            alarms=alarms,
        )
    blue_green = config.get("BlueGreenUpdatePolicy")
    if not blue_green:
        return Policy(alarms=alarms)
    routing = blue_green["TrafficRoutingConfiguration"]
    kind: Kind = routing["Type"]
    member = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind, "")
    return Policy(
        kind=kind,
        step=_size(routing.get(member)),
        wait=routing["WaitIntervalInSeconds"],
        termination_wait=blue_green.get("TerminationWaitInSeconds", 0),
        limit=blue_green.get("MaximumExecutionTimeoutInSeconds"),
        alarms=alarms,
    )


def _size(given: dict[str, Any] | None) -> Size | None:
    return Size(given["Type"] == "CAPACITY_PERCENT", given["Value"]) if given else None


def policy_in_force(target: Deployment, live: Deployment | None) -> Policy:
    """The policy of `target`, or all at once with no baking where the guide excludes the endpoint.

    Excluded are Inf1 instances (hosting guide, Exclusions) and serverless endpoints: guardrails
    "only apply to Asynchronous inference and Real-time inference endpoint types" (hosting guide,
    Deployment guardrails). The service says nothing of it, and neither does this.
    """
    variants = [*target.variants, *(live.variants if live else [])]
    return Policy() if any(_excluded(variant) for variant in variants) else policy_of(target.policy)


def _excluded(variant: Variant) -> bool:
    return variant.serverless is not None or (variant.instance_type or "").startswith(_EXCLUDED_INSTANCES)


def check_policy(target: Deployment, live: Deployment | None) -> None:
    """Refuse a DeploymentConfig whose parts do not go together, or do not fit the fleet."""
    config = target.policy
    if config is None:
        return
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise errors.invalid(
            "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be used in a DeploymentConfig."
        )
    policy = policy_of(config)
    if policy.kind == "ROLLING":
        _check_rolling_endpoint(target, live)
    _check_names(target, live)
    for variant in target.variants:
        if variant.serverless is None:
            _check_sizes(policy, variant)
            _check_total(policy, variant)


def _check_rolling_endpoint(target: Deployment, live: Deployment | None) -> None:
    """Rolling has "additional feature-based exclusions" (hosting guide, Exclusions)."""
    for deployment in (target, live):
        if deployment is None:
            continue
        if len(deployment.variants) > 1:
            raise errors.unsupported("a rolling update policy with several production variants")
        if any(variant.serverless is not None for variant in deployment.variants):
            raise errors.unsupported("a rolling update policy with serverless inference")


def _check_names(target: Deployment, live: Deployment | None) -> None:
    if live is None:
        return
    new, old = ([variant.name for variant in each.variants] for each in (target, live))
    # "your new endpoint configuration must have the same variant name" (hosting guide, Exclusions)
    if set(new) != set(old):
        raise errors.invalid(
            f"With a DeploymentConfig, the variant names of endpoint configuration {target.config_name} "
            f"must be those of {live.config_name}: found {', '.join(new)}, expected {', '.join(old)}."
        )


def _check_sizes(policy: Policy, variant: Variant) -> None:
    names: dict[Kind, tuple[str, int]] = {
        "CANARY": ("CanarySize", 0),
        "LINEAR": ("LinearStepSize", _LEAST_LINEAR),
        "ROLLING": ("MaximumBatchSize", _LEAST_BATCH),
    }
    if policy.kind in names:
        member, low = names[policy.kind]
        if policy.step is None:
            raise errors.invalid(f"{member} must be given with traffic routing type {policy.kind}.")
        _check_size(member, policy.step, variant, low, _HALF)
    if policy.rollback_step:
        _check_size("RollbackMaximumBatchSize", policy.rollback_step, variant, 0, _WHOLE)


def _check_size(member: str, size: Size, variant: Variant, low: int, high: int) -> None:
    if size.outside(variant.count, low, high):
        bounds = f"between {low}% and {high}%" if low else f"at most {high}%"
        found = f"{size.value}%" if size.percent else f"{size.value} instance(s)"
        raise errors.invalid(
            f"{member} must be {bounds} of the instances of production variant {variant.name}, of which "
            f"there are {variant.count}; found {found}."
        )


def _check_total(policy: Policy, variant: Variant) -> None:
    """The limit "should be larger than the total waiting time" (BlueGreenUpdatePolicy's reference)."""
    steps = len(list(policy.steps(variant.count)))
    bakes = steps if policy.kind == "ROLLING" else steps - 1
    total = bakes * policy.wait + policy.termination_wait
    if policy.limit is not None and total >= policy.limit:
        raise errors.invalid(
            f"MaximumExecutionTimeoutInSeconds must be larger than the total waiting time, which is {total} "
            f"seconds ({bakes} wait(s) of {policy.wait} seconds and {policy.termination_wait} seconds before "
            f"termination); found {policy.limit}."
        )


def portion(count: int, share: float) -> int:
    """Of the old fleet's `count` instances, those that keep traffic when `share` of it has moved."""
    return 0 if share >= 1 else min(count, max(1, count - math.floor(count * share + _ROUNDING)))


def part(done: int, count: int) -> float:
    """The share of `count` instances that `done` of them are: of none, all is done."""
    return done / count if count else 1.0
