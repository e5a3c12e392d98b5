"""The rules in force, and which of them decides a call, an instance's start, a request or a job's run."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from local_sagemaker.api.calls import Call
from local_sagemaker.faults.rules import AnyRule, CallRule, ProvisioningRule, ReplicaRule, Rule

RuleT = TypeVar("RuleT", bound=Rule)


@dataclass
class Active:
    """A rule in force: how many matches it has seen and how many it has hit. `lifted` is set at its end."""

    rule: AnyRule
    id: str
    seen: int = 0
    hits: int = 0
    made: float = field(default_factory=time.monotonic)
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def spent(self) -> bool:
        """Whether it will hit nothing more."""
        rule = self.rule
        over = rule.for_seconds is not None and time.monotonic() - self.made >= rule.for_seconds
        return self.lifted.is_set() or over or (rule.count is not None and self.hits >= rule.count)

    def view(self) -> dict[str, Any]:
        """As /_local/faults shows it."""
        return {
            **self.rule.model_dump(exclude_defaults=True),
            "id": self.id,
            "seen": self.seen,
            "hits": self.hits,
            "in_force": not self.spent,
        }


@dataclass(frozen=True)
class Hit:
    """A rule that has hit, and the chance that draws whatever else is random about it."""

    rule: AnyRule
    chance: random.Random
    lifted: asyncio.Event


class FaultRules:
    """Rules in the order they were made: the first that hits decides, and those after it see nothing.

    Whether the n-th match of a rule is hit depends on the seed, the rule's id and n alone: the same calls
    in the same order meet the same faults, at whatever speed.
    """

    def __init__(self, seed: int, rules: Iterable[AnyRule] = ()) -> None:
        self.seed = seed
        self._active: dict[str, Active] = {}
        self._numbers = itertools.count(1)
        self.add(rules)

    def add(self, rules: Iterable[AnyRule]) -> list[Active]:
        """Put rules in force, after those that are; one with the id of another takes its place."""
        made = []
        for rule in rules:
            active = Active(rule, rule.id or f"{rule.fault}-{next(self._numbers)}")
            if active.id in self._active:
                self.remove(active.id)
            self._active[active.id] = active
            made.append(active)
        return made

    def remove(self, name: str | None = None) -> bool:
        """End one rule, or all; False when there is none of that id. What is stuck through it goes on."""
        if name is not None and name not in self._active:
            return False
        for each in [name] if name is not None else list(self._active):
            self._active.pop(each).lifted.set()
        return True

    def find(self, name: str) -> Active | None:
        """The rule of that id."""
        return self._active.get(name)

    def view(self) -> list[dict[str, Any]]:
        """Every rule with its counters, those that are spent too."""
        return [active.view() for active in self._active.values()]

    def any_of(self, kind: type[Rule]) -> bool:
        """Whether a rule of that kind may hit something: cheap, since it is asked at every request."""
        return any(isinstance(each.rule, kind) and not each.spent for each in self._active.values())

    def hit(self, kind: type[RuleT], matches: Callable[[RuleT], bool]) -> Hit | None:
        """The rule of that kind that hits what `matches`; counts what it has seen."""
        for active in self._active.values():
            if not isinstance(active.rule, kind) or active.spent or not matches(active.rule):
                continue
            active.seen += 1
            chance = random.Random(f"{self.seed}/{active.id}/{active.seen}")  # noqa: S311 - to be foretold
            if active.seen > active.rule.after and chance.random() < active.rule.probability:
                active.hits += 1
                return Hit(active.rule, chance, active.lifted)
        return None


@dataclass(frozen=True)
class Place:
    """Where an instance is, or is to be; `kind` is "endpoint", "training-job", ..."""

    kind: str
    name: str
    variant: str = ""
    config: str = ""
    instance_type: str = ""
    index: int = 0
    container: str = ""


def matches_call(call: Call) -> Callable[[CallRule], bool]:
    """Whether a rule is about the call."""

    def matches(rule: CallRule) -> bool:
        return (
            fnmatchcase(call.service, rule.service)
            and fnmatchcase(call.operation, rule.operation)
            and fnmatchcase(call.user_agent, rule.user_agent)
            and (rule.resource == "*" or any(fnmatchcase(name, rule.resource) for name in call.resources))
        )

    return matches


def matches_start(place: Place) -> Callable[[ProvisioningRule], bool]:
    """Whether a rule is about the start of an instance there."""

    def matches(rule: ProvisioningRule) -> bool:
        return (
            rule.kind in ("*", place.kind)
            and fnmatchcase(place.name, rule.name)
            and fnmatchcase(place.variant, rule.variant)
            and fnmatchcase(place.config, rule.config)
            and fnmatchcase(place.instance_type, rule.instance_type)
        )

    return matches


def matches_replica(place: Place) -> Callable[[ReplicaRule], bool]:
    """Whether a rule is about the instance there."""

    def matches(rule: ReplicaRule) -> bool:
        return (
            place.kind == "endpoint"
            and rule.index in (None, place.index)
            and fnmatchcase(place.name, rule.endpoint)
            and fnmatchcase(place.variant, rule.variant)
            and fnmatchcase(place.config, rule.config)
            and fnmatchcase(place.container, rule.container)
        )

    return matches
