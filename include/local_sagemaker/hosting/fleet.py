"""The variants of a deployment, each with its instances: started together, shared by weight."""

import asyncio
from collections.abc import Mapping

from local_sagemaker.hosting.launch import FleetError, FleetTools
from local_sagemaker.hosting.records import Deployment
from local_sagemaker.hosting.serverless import variant_fleet
from local_sagemaker.hosting.variant_fleet import VariantFleet

__all__ = ["Fleet", "FleetError", "FleetTools", "VariantFleet"]


class Fleet:
    """All variants of a deployment, between which requests are shared by weight.

    `shadows` are its shadow variants, which get copies of requests and answer none.
    """

    def __init__(self, endpoint: str, deployment: Deployment, tools: FleetTools) -> None:
        self.variants = {
            variant.name: variant_fleet(endpoint, deployment, variant, tools)
            for variant in deployment.variants
        }
        self.shadows = {
            variant.name: variant_fleet(endpoint, deployment, variant, tools)
            for variant in deployment.shadows
        }

    @property
    def everyone(self) -> list[VariantFleet]:
        """Production variants and shadow variants."""
        return [*self.variants.values(), *self.shadows.values()]

    async def start(self) -> None:
        """Start every instance; raises FleetError, with nothing left running, when one does not come up."""
        try:
            await self.scale({})
        except BaseException:
            await self.close(drain=False)
            raise

    async def scale(self, counts: Mapping[str, int]) -> None:
        """Bring variants to these numbers of instances; those not named to their own counts.

        Raises FleetError when one does not come up; those that did come up stay.
        """
        tasks = [
            asyncio.create_task(variant.scale(counts.get(variant.variant.name, variant.variant.count)))
            for variant in self.everyone
        ]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def resize(self, deployment: Deployment) -> None:
        """Take on the counts and weights of `deployment` (same variants) without losing a request.

        Grows first, then moves the traffic, then shrinks; raises FleetError, with the counts as they
        were, when an instance does not come up.
        """
        before = {each.variant.name: each.variant.count for each in self.everyone}
        target = {variant.name: variant for variant in (*deployment.variants, *deployment.shadows)}
        try:
            await self.scale({name: max(target[name].count, count) for name, count in before.items()})
        except FleetError:
            await self.scale(before)
            raise
        for each in self.everyone:
            each.variant = target[each.variant.name]
        await self.scale({})

    async def close(self, *, drain: bool) -> None:
        """Stop everything, after the requests in flight are answered if `drain`."""
        await asyncio.gather(*(each.close(drain=drain) for each in self.everyone))
