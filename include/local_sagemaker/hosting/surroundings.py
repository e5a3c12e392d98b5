"""What an endpoint's lifecycle needs of the server around it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_sagemaker.hosting.bake import AlarmStates
from local_sagemaker.hosting.fleet import FleetTools
from local_sagemaker.store import Store

if TYPE_CHECKING:
    from local_sagemaker.hosting.lifecycle import Lifecycle


@dataclass(frozen=True)
class Surroundings:
    """`announce_status` and `announce_deployment` are told of every change of the kind."""

    store: Store
    tools: FleetTools
    alarm_states: AlarmStates
    announce_status: "Callable[[Lifecycle], None]"
    announce_deployment: "Callable[[Lifecycle], None]"
    provision_seconds: float
    omit_rollback_reason: bool
