"""The stages of a change under way, as DescribeEndpoint shows them in VariantStatus."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from local_sagemaker.clock import Clock
from local_sagemaker.hosting.fleet import Fleet
from local_sagemaker.hosting.records import Deployment

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


def launching(fleet: Fleet) -> dict[str, str]:
    """The messages of variants whose instances are all being started."""
    return {each.variant.name: f"Launching {each.variant.count} instance(s)." for each in fleet.everyone}


def terminating(fleets: Iterable[Fleet]) -> dict[str, str]:
    """The messages of variants whose instances are all being stopped."""
    return {
        each.variant.name: f"Terminating {len(each.instances)} instance(s)."
        for fleet in fleets
        for each in fleet.everyone
    }


def scaling(fleet: Fleet, target: Deployment) -> dict[str, str]:
    """The messages of variants whose counts or weights become those of `target`."""
    running = {each.variant.name: len(each.instances) for each in fleet.everyone}
    messages = {}
    for variant in (*target.variants, *target.shadows):
        if variant.count == running[variant.name]:
            messages[variant.name] = f"Setting variant weight to {variant.weight:g}."
        else:
            way = "out" if variant.count > running[variant.name] else "in"
            messages[variant.name] = f"Scaling {way} desired instance count to {variant.count}."
    return messages
