"""The faults there are: each by name, with how often it is drawn and what it does."""

from collections.abc import Callable
from typing import Any, Final

from benchmarks.chaos.faults import Injector, Kinds
from benchmarks.chaos.victims import kill

_SERVICES_CALLED: Final = ("s3", "sagemaker", "*", "*")
_CHANGES: Final = (
    ("sagemaker", "Create*"),
    ("sagemaker", "Update*"),
    ("sagemaker", "Delete*"),
    ("sagemaker", "*"),
    ("s3", "Put*"),
    ("s3", "Delete*"),
    ("s3", "*"),
)


def _kills(name: str) -> Callable[[Injector, str], None]:
    def strike(injector: Injector, kind: str) -> None:
        injector.struck(kind, kill(injector.victims.tree(name)))

    return strike


def _fill_any_disk(injector: Injector, kind: str) -> None:
    injector.fill_disk(kind, injector.chance.choice(("scheduler", "triggerer", "postgres")))


def _fill_sagemakers_disk(injector: Injector, kind: str) -> None:
    injector.fill_disk(kind, "sagemaker")


def _throttle(injector: Injector, kind: str) -> None:
    service, count = injector.chance.choice(_SERVICES_CALLED), injector.chance.randint(3, 8)
    injector.calls(kind, fault="throttle", service=service, probability=0.6, count=count, for_seconds=8)


def _error(injector: Injector, kind: str) -> None:
    service = injector.chance.choice(_SERVICES_CALLED)
    count = injector.chance.randint(1, 4)
    injector.calls(kind, fault="error", service=service, probability=0.6, count=count, for_seconds=8)


def _lose_answer(injector: Injector, kind: str) -> None:
    service, operation = injector.chance.choice(_CHANGES)
    injector.calls(kind, fault="lost_response", service=service, operation=operation, count=1, for_seconds=30)


def _reset(injector: Injector, kind: str) -> None:
    service, count = injector.chance.choice(_SERVICES_CALLED), injector.chance.randint(1, 2)
    injector.calls(kind, fault="reset", service=service, count=count, for_seconds=15)


def _delay(injector: Injector, kind: str) -> None:
    service, operation = injector.chance.choice((*_CHANGES, ("*", "*")))
    seconds, first = injector.chance.uniform(1, 5), injector.chance.random() < 0.5  # noqa: PLR2004 - a coin
    rule: dict[str, Any] = {"service": service, "operation": operation, "effect_first": first}
    injector.calls(kind, fault="delay", delay=seconds, count=1, for_seconds=20, **rule)


def _no_capacity(injector: Injector, kind: str) -> None:
    name = injector.chance.choice(injector.world).endpoint
    injector.rule(kind, fault="insufficient_capacity", name=name, count=1, for_seconds=40)


def _kill_model(injector: Injector, kind: str) -> None:
    name = injector.chance.choice(injector.world).endpoint
    injector.rule(kind, fault="replica_dies", endpoint=name, count=1, for_seconds=10)


_DRAWN: Final[dict[str, tuple[float, Callable[[Injector, str], None]]]] = {
    "task process killed": (12, Injector.kill_task),
    "worker killed": (4, Injector.kill_worker),
    "scheduler killed, its workers too": (2, _kills("scheduler")),
    "scheduler killed, its workers go on": (2, Injector.kill_scheduler_alone),
    "triggerer killed": (4, _kills("triggerer")),
    "DAG processor killed": (1, _kills("dag-processor")),
    "API server killed": (2, _kills("api-server")),
    "local SageMaker killed": (3, _kills("sagemaker")),
    "PostgreSQL killed": (2, _kills("postgres")),
    "a connection's PostgreSQL process killed": (2, Injector.kill_backend),
    "process stopped for seconds": (6, Injector.pause),
    "disk full for Airflow's or PostgreSQL's processes": (4, _fill_any_disk),
    "disk full for the local SageMaker": (2, _fill_sagemakers_disk),
    "clock skewed": (8, Injector.skew),
    "calls throttled": (12, _throttle),
    "calls answered with an error": (6, _error),
    "answer lost after the effect": (20, _lose_answer),
    "connection reset before the effect": (10, _reset),
    "call late": (10, _delay),
    "no capacity": (1, _no_capacity),
    "model process killed": (5, _kill_model),
}
_AT_WORK: Final = frozenset({"task process killed", "worker killed"})
_HEAVY: Final = frozenset(
    {
        "scheduler killed, its workers too",
        "scheduler killed, its workers go on",
        "triggerer killed",
        "API server killed",
        "local SageMaker killed",
        "PostgreSQL killed",
        "a connection's PostgreSQL process killed",
        "process stopped for seconds",
        "disk full for Airflow's or PostgreSQL's processes",
    }
)
KINDS: Final = Kinds(_DRAWN, _HEAVY, _AT_WORK)
