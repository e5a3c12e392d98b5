"""The stages of a change under way, as DescribeEndpoint shows them in VariantStatus."""

from collections.abc import Mapping
from typing import Any, Literal

from local_sagemaker.clock import Clock

Side = Literal["old", "new"]


class Progress:
    """For each variant of the old and the new fleet, the stage it is in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stages: dict[tuple[Side, str], dict[str, Any]] = {}

    def begin(self, side: Side, status: str, messages: Mapping[str, str]) -> None:
        """A stage begins for the variants named, with a message each; the other fleet's are over."""
        now = self._clock.now()
        self._stages = {
            (side, name): {"Status": status, "StatusMessage": message, "StartTime": now}
            for name, message in messages.items()
        }

    def status(self, side: Side, name: str) -> list[dict[str, Any]] | None:
        """VariantStatus of one variant, None while nothing happens to it."""
        stage = self._stages.get((side, name))
        return [stage] if stage else None
