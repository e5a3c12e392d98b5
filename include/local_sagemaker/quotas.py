"""Quotas under the service's own names: none is in force until it is set."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from local_sagemaker.api.errors import ServiceError
from local_sagemaker.api.validation import service_model
from local_sagemaker.store import Store

_KIND = "quota"
_INSTANCES = "Instances"

# What the service counts by instance type, and the API's list of the types each can have.
_BY_TYPE = {
    "endpoint": "ProductionVariantInstanceType",
    "training job": "TrainingInstanceType",
    "spot training job": "TrainingInstanceType",
    "processing job": "ProcessingInstanceType",
    "transform job": "TransformInstanceType",
}
# What it counts over all instance types (the names of Service Quotas).
_TOTALS = {
    "endpoint": "Number of instances across active endpoints",
    "training job": "Number of instances across all training jobs",
    "spot training job": "Number of instances across all spot training jobs",
    "processing job": "Number of instances across all processing jobs",
    "transform job": "Number of instances across all transform jobs",
}
SERVERLESS_CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
_NAME = re.compile(rf"(?P<type>\S+) for (?P<use>{'|'.join(_BY_TYPE)}) usage")

Usage = Mapping[str, int]


class QuotaError(Exception):
    """A quota that cannot be set; the message says what was found and what was expected."""


class Quotas:
    """The quotas in force, and what is used of them.

    Whoever starts instances reports its use with `count`, and asks with `require` before it starts more.
    """

    def __init__(self, store: Store, preset: Usage | None = None) -> None:
        self._store = store
        self._meters: list[Callable[[], Usage]] = []
        self._limits: dict[str, int] = {name: body["limit"] for name, body in store.all(_KIND)}
        self.set(preset or {})

    def set(self, limits: Usage) -> None:
        """Set the quotas named, all or none; raises QuotaError. Those not named stay."""
        for name, limit in limits.items():
            check_quota(name, limit)
        for name, limit in limits.items():
            self._store.put(_KIND, name, {"limit": limit})
            self._limits[name] = limit

    def remove(self, name: str | None = None) -> None:
        """Lift one quota, or all; raises QuotaError for one that is not set."""
        if name is not None and name not in self._limits:
            raise QuotaError(f"no quota named {name!r} is set")
        for each in [name] if name is not None else list(self._limits):
            self._store.delete(_KIND, each)
            del self._limits[each]

    def count(self, meter: Callable[[], Usage]) -> None:
        """Add a meter: it gives what one part uses now, by the names of `instances`."""
        self._meters.append(meter)

    def in_use(self, name: str) -> int:
        """What all parts use of one quota now."""
        return sum(meter().get(name, 0) for meter in self._meters)

    def check(self, name: str, in_use: int, delta: int) -> None:
        """Raise the service's ResourceLimitExceeded when `delta` more than `in_use` goes over the quota.

        A delta of 0 or less is always granted: a quota that is lowered stops nothing that runs.
        """
        limit = self._limits.get(name)
        if limit is None or delta <= 0 or in_use + delta <= limit:
            return
        unit = _unit(name)
        raise ServiceError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{name}' is {limit} {unit}, with current utilization of "
            f"{in_use} {unit} and a request delta of {delta} {unit}. Please use AWS Service Quotas to "
            "request an increase for this quota. If AWS Service Quotas is not available, contact AWS "
            "support to request an increase for this quota.",
        )

    def require(self, deltas: Usage) -> None:
        """Check several at once against what the meters say is used, as one request would need them."""
        for name, delta in deltas.items():
            if name in self._limits:
                self.check(name, self.in_use(name), delta)

    def view(self) -> list[dict[str, Any]]:
        """Every quota that is set, with its use: `name`, `limit`, `in_use`, `unit`."""
        return [
            {"name": name, "limit": limit, "in_use": self.in_use(name), "unit": _unit(name)}
            for name, limit in sorted(self._limits.items())
        ]


def instances(use: str, by_type: Usage) -> dict[str, int]:
    """Counts of instances by type, under every quota they count for.

    `use` is "endpoint", "training job", "spot training job", "processing job" or "transform job".
    """
    counted = {f"{kind} for {use} usage": count for kind, count in by_type.items()}
    return {**counted, _TOTALS[use]: sum(by_type.values())}


def parse_quota(text: str) -> tuple[str, int]:
    """`NAME=N`, as on the command line; raises QuotaError."""
    name, sign, number = text.rpartition("=")
    if not sign or not re.fullmatch(r"\s*\d+\s*", number):
        raise QuotaError(f"{text!r} is no quota; expected 'NAME=N', as in 'ml.m5.large for endpoint usage=2'")
    limit = int(number)
    check_quota(name.strip(), limit)
    return name.strip(), limit


def load_quotas(path: Path) -> dict[str, int]:
    """The quotas of a YAML or JSON file, a limit for each name; raises QuotaError."""
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise QuotaError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise QuotaError(f"{path}: expected a limit for each name, as in 'ml.m5.large for endpoint usage: 2'")
    for name, limit in found.items():
        try:
            check_quota(str(name), limit)
        except QuotaError as error:
            raise QuotaError(f"{path}: {error}") from error
    return found


def check_quota(name: str, limit: object) -> None:
    """Raise QuotaError for a name that nothing is counted under, or a limit that is no count."""
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise QuotaError(f"quota {name!r}: expected a whole number of 0 or more, found {limit!r}")
    if name == SERVERLESS_CONCURRENCY or name in _TOTALS.values():
        return
    found = _NAME.fullmatch(name)
    if found is None:
        uses = ", ".join(_BY_TYPE)
        others = "; ".join([*_TOTALS.values(), SERVERLESS_CONCURRENCY])
        raise QuotaError(
            f"unknown quota {name!r}; expected '<instance type> for <use> usage', the use being one of "
            f"{uses}; or one of: {others}"
        )
    if found["type"] not in _instance_types(_BY_TYPE[found["use"]]):
        raise QuotaError(f"quota {name!r}: {found['type']} is no instance type a {found['use']} can have")


def _unit(name: str) -> str:
    # The service's own unit for concurrency was not to be found; this one is ours.
    return "Concurrent Invocations" if name == SERVERLESS_CONCURRENCY else _INSTANCES


@functools.cache
def _instance_types(shape: str) -> frozenset[str]:
    return frozenset(getattr(service_model("sagemaker").shape_for(shape), "enum", ()))
