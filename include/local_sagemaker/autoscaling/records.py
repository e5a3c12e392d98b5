"""What is kept of scalable targets, policies, scheduled actions and activities; stored as JSON."""

import time
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field

from local_sagemaker.record import Record
from local_sagemaker.store import Store

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
MAX_ACTIVITIES = 500
ActivityStatus = Literal["Pending", "InProgress", "Successful", "Overridden", "Unfulfilled", "Failed"]


def resource(resource_id: str) -> dict[str, str]:
    """The three members by which the API names a scalable target."""
    return {"ServiceNamespace": NAMESPACE, "ResourceId": resource_id, "ScalableDimension": DIMENSION}


class Target(Record):
    """A variant that may be scaled: `resource_id` is `endpoint/NAME/variant/VARIANT`."""

    resource_id: str
    arn: str
    minimum: int
    maximum: int
    created: float
    suspended: dict[str, bool] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.resource_id.split("/")[1]

    @property
    def variant(self) -> str:
        """The variant's name."""
        return self.resource_id.split("/")[3]


class Policy(Record):
    """A scaling policy; `alarms` are those that it made itself, the high one first.

    `scaled_out` and `scaled_in` are when it last did so, and `base` the capacity it scaled out from.
    """

    arn: str
    name: str
    resource_id: str
    kind: Literal["TargetTrackingScaling", "StepScaling"]
    config: dict[str, Any]
    alarms: list[str] = Field(default_factory=list)
    created: float
    scaled_out: float = 0.0
    scaled_in: float = 0.0
    base: int = 0


class Scheduled(Record):
    """A scheduled action; `due` is when it runs next, None when it will not again."""

    name: str
    arn: str
    resource_id: str
    schedule: str
    timezone: str | None = None
    start: float | None = None
    end: float | None = None
    action: dict[str, int] = Field(default_factory=dict)
    created: float
    due: float | None = None


class Activity(Record):
    """One attempt to scale."""

    identity: str
    resource_id: str
    description: str
    cause: str
    started: float
    ended: float | None = None
    status: ActivityStatus
    message: str | None = None
    not_scaled: dict[str, Any] | None = None


Kept = TypeVar("Kept", bound=Record)


class Collection(Generic[Kept]):
    """Records of one kind by key, in memory and in the store."""

    def __init__(self, store: Store, kind: str, model: type[Kept]) -> None:
        self._store = store
        self._kind = kind
        self._records = {key: model.model_validate(document) for key, document in store.all(kind)}

    def get(self, key: str) -> Kept | None:
        """The record, or None."""
        return self._records.get(key)

    def save(self, key: str, record: Kept) -> None:
        """Create or replace the record."""
        self._records[key] = record
        self._store.put(self._kind, key, record.model_dump())

    def delete(self, key: str) -> None:
        """Remove the record, if it is there."""
        if self._records.pop(key, None) is not None:
            self._store.delete(self._kind, key)

    def all(self) -> list[Kept]:
        """Every record, in the order of the keys."""
        return [self._records[key] for key in sorted(self._records)]


class Registry:
    """All that Application Auto Scaling remembers."""

    def __init__(self, store: Store) -> None:
        self.targets = Collection(store, "scalable-target", Target)
        self.policies = Collection(store, "scaling-policy", Policy)
        self.scheduled = Collection(store, "scheduled-action", Scheduled)
        self._activities = Collection(store, "scaling-activity", Activity)

    def policies_of(self, resource_id: str) -> list[Policy]:
        """The policies of one target."""
        return [policy for policy in self.policies.all() if policy.resource_id == resource_id]

    def activities(self) -> list[Activity]:
        """Every activity, the newest first."""
        return sorted(self._activities.all(), key=lambda one: one.started, reverse=True)

    def note(self, activity: Activity) -> None:
        """Keep the activity as it is now; the oldest goes when there are too many."""
        if self._activities.get(activity.identity) is None and len(self._activities.all()) >= MAX_ACTIVITIES:
            self._activities.delete(self.activities()[-1].identity)
        self._activities.save(activity.identity, activity)

    def interrupted(self) -> list[Activity]:
        """Activities that were under way when the server ended."""
        return [one for one in self._activities.all() if one.status in ("Pending", "InProgress")]


def policy_key(resource_id: str, name: str) -> str:
    """The key of a policy or a scheduled action: names are unique for a target."""
    return f"{resource_id}\n{name}"


def now() -> float:
    """The wall clock's time, as the API reports it."""
    return round(time.time(), 3)
