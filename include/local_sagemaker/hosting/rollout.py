"""One deployment from an old fleet to a new one, and the way back."""

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from local_sagemaker.hosting.bake import Bake
from local_sagemaker.hosting.fleet import Fleet, VariantFleet
from local_sagemaker.hosting.policy import Policy, active_step, part, portion
from local_sagemaker.hosting.progress import launching
from local_sagemaker.hosting.traffic import Traffic

# The API's VariantStatus.
StageName = Literal["Creating", "Updating", "Deleting", "ActivatingTraffic", "Baking"]
_STEP_NAMES = {"CANARY": "canary capacity", "LINEAR": "linear step capacity", "ROLLING": "capacity"}


class Scene(Protocol):
    """What a deployment does to its endpoint."""

    def route(self, traffic: Traffic) -> None:
        """Send requests this way from now on."""

    def stage(self, side: Literal["old", "new"], status: StageName, messages: Mapping[str, str]) -> None:
        """Show that this stage has begun, with a message for each variant."""


@dataclass
class Rollout:
    """A deployment under way: `forward` brings up the new fleet, `back` restores the old one.

    `provision` runs the starting of instances, in no less than the service's own time.
    `forward` raises FleetError when instances do not come up, AlarmTripped when an alarm goes off.
    """

    old: Fleet
    new: Fleet
    policy: Policy
    bake: Bake
    scene: Scene
    provision: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]

    async def forward(self) -> None:
        """Move all traffic to the new fleet; the old one still runs, with or without its instances."""
        raise NotImplementedError

    async def back(self) -> None:
        """Give all traffic back to the old fleet; raises FleetError when that one cannot be restored."""
        raise NotImplementedError

    def _split(self, shares: Mapping[str, float]) -> None:
        self.scene.route(Traffic.split(self.old, self.new, shares))

    def _activate(self, active: Mapping[str, int]) -> None:
        """Traffic on that many new instances of each variant, and off as large a part of the old ones."""
        for name, count in active.items():
            self.new.variants[name].activate(count)
        shares = {name: part(count, self.new.variants[name].variant.count) for name, count in active.items()}
        for name, variant in self.old.variants.items():
            # The last part is left on for what is under way; new requests do not come here.
            if left := portion(variant.variant.count, shares.get(name, 1.0)):
                variant.activate(left)
        capacity = {name: self._capacity(name, count) for name, count in active.items()}
        self.scene.stage(
            "new",
            "ActivatingTraffic",
            {name: f"Activating traffic on {text}." for name, text in capacity.items()},
        )
        # A variant that the new configuration no longer has gets no request from now on.
        gone = {name: 1.0 for name in self.old.variants if name not in shares}
        self._split({**shares, **gone})

    async def _bake(self, member: str, seconds: float, active: Mapping[str, int]) -> None:
        if seconds:
            self.scene.stage(
                "new",
                "Baking",
                {
                    name: f"Baking for {seconds:g} seconds ({member}) with traffic enabled on "
                    f"{self._capacity(name, count)}."
                    for name, count in active.items()
                },
            )
        await self.bake.wait(seconds)

    def _capacity(self, name: str, count: int) -> str:
        full = count >= self.new.variants[name].variant.count
        which = "full capacity" if full else _STEP_NAMES.get(self.policy.kind, "capacity")
        return f"{which} of {count} instance(s)"


class BlueGreen(Rollout):
    """The whole new fleet beside the old one; traffic moves at once, by a canary, or in linear steps."""

    async def forward(self) -> None:
        """Start the new fleet, move traffic step by step with a baking period after each."""
        for variant in self.new.variants.values():
            variant.activate(0)
        self.scene.stage("new", "Creating", launching(self.new))
        await self.provision(self.new.start)
        plans = {
            name: list(self.policy.steps(variant.variant.count))
            for name, variant in self.new.variants.items()
        }
        steps = max(len(plan) for plan in plans.values())
        active: dict[str, int] = {}
        for step in range(steps):
            active = {name: plan[min(step, len(plan) - 1)] for name, plan in plans.items()}
            self._activate(active)
            if step < steps - 1:
                await self._bake("WaitIntervalInSeconds", self.policy.wait, active)
        await self._bake("TerminationWaitInSeconds", self.policy.termination_wait, active)

    async def back(self) -> None:
        """The old fleet is whole: it takes everything back in one moment."""
        for variant in self.old.variants.values():
            variant.activate(variant.variant.count)
        self.scene.route(Traffic.to(self.old))


class Rolling(Rollout):
    """Batch after batch of new instances in the place of old ones; one production variant.

    Each batch is launched, gets its part of the traffic and bakes; then as many of the old instances
    are terminated (hosting guide, Rolling deployments).
    """

    async def forward(self) -> None:
        """Replace every batch."""
        name, new, old = self._pair()
        count, held = new.variant.count, len(old.instances)
        batch = active_step(self.policy.step, count)
        for done in itertools.chain(range(batch, count, batch), [count]):
            stage: StageName = "Updating" if new.instances else "Creating"
            self.scene.stage("new", stage, {name: f"Launching {done - len(new.instances)} instance(s)."})
            await self.provision(functools.partial(self.new.scale, {name: done}))
            self._activate({name: done})
            await self._bake("WaitIntervalInSeconds", self.policy.wait, {name: done})
            left = portion(held, part(done, count))
            self.scene.stage(
                "old", "Deleting", {name: f"Terminating {len(old.instances) - left} instance(s)."}
            )
            if left:  # the last ones go with their fleet
                await old.scale(left)

    async def back(self) -> None:
        """Restore the old instances, in batches of RollbackMaximumBatchSize or all at once."""
        name, new, old = self._pair()
        full, held = old.variant.count, len(new.instances)
        old.activate(full)
        batch = active_step(self.policy.rollback_step, full)
        while (running := len(old.instances)) < full:
            more = min(batch, full - running)
            self.scene.stage("old", "Updating", {name: f"Launching {more} instance(s)."})
            await self.provision(functools.partial(old.scale, running + more))
            left = portion(held, len(old.instances) / full)
            if left:
                self._split({name: left / (left + len(old.instances))})
                self.scene.stage(
                    "new", "Deleting", {name: f"Terminating {len(new.instances) - left} instance(s)."}
                )
                await new.scale(left)
        self.scene.route(Traffic.to(self.old))

    def mix(self) -> None:
        """What is left when the way back failed too: traffic by what runs of each fleet."""
        name, new, old = self._pair()
        for variant in (new, old):
            variant.activate(variant.variant.count)
        whole = len(new.instances) + len(old.instances)
        self._split({name: part(len(new.instances), whole)})

    def _pair(self) -> tuple[str, VariantFleet, VariantFleet]:
        ((name, new),) = self.new.variants.items()
        return name, new, self.old.variants[name]


def rollout_for(policy: Policy) -> type[Rollout]:
    """The way a policy is carried out."""
    return Rolling if policy.kind == "ROLLING" else BlueGreen


async def at_least(work: Awaitable[None], wait: Awaitable[None]) -> None:
    """Do the work, and take at least as long as `wait`; a failure of the work is raised at once."""
    waiting = asyncio.ensure_future(wait)
    try:
        await work
        await waiting
    finally:
        waiting.cancel()
