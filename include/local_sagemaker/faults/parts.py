"""All of the faults, as the server puts them into its parts."""

from collections.abc import Sequence

from local_sagemaker.clock import Clock
from local_sagemaker.faults.connections import Connections
from local_sagemaker.faults.engine import FaultRules
from local_sagemaker.faults.front import CallFaults
from local_sagemaker.faults.instances import InstanceFaults
from local_sagemaker.faults.rules import AnyRule


class Faults:
    """The rules, and those who ask them: `calls` the front, `instances` whoever starts instances."""

    def __init__(self, rules: Sequence[AnyRule], seed: int, clock: Clock) -> None:
        self.rules = FaultRules(seed, rules)
        self.connections = Connections()
        self.calls = CallFaults(self.rules, self.connections)
        self.instances = InstanceFaults(self.rules, clock)
