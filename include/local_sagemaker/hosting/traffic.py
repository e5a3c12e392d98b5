"""What serves an endpoint at a moment, and which variant a request goes to."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local_sagemaker.hosting.fleet import Fleet, VariantFleet

_random = random.Random()  # noqa: S311 - shares of traffic, nothing secret


@dataclass(frozen=True)
class Traffic:
    """One fleet, or the old and the new one during a deployment, each with its share of the requests.

    Shares are relative to each other, as weights of variants are. A fleet of share 0 gets nothing.
    """

    shares: Sequence[tuple[Fleet, float]]

    def choose(self, target_variant: str | None = None) -> VariantFleet | None:
        """Where a request goes: a fleet by share, then a variant of it by weight, or the one named.

        None when no variant has any weight, or there is none of that name.
        """
        fleet = self._fleet()
        if fleet is None:
            return None
        return fleet.choose() if target_variant is None else fleet.variants.get(target_variant)

    def shadows(self, chosen: VariantFleet) -> list[VariantFleet]:
        """The shadow variants that get a copy of a request to `chosen`, drawn anew for each request.

        A shadow variant's weight, in proportion to the production variant's, is the share of
        requests it sees (hosting guide, Shadow variants).
        """
        return [
            shadow
            for fleet, _ in self.shares
            if fleet.variants.get(chosen.variant.name) is chosen
            for shadow in fleet.shadows.values()
            if _random.random() * chosen.variant.weight < shadow.variant.weight
        ]

    def variants(self) -> Iterator[VariantFleet]:
        """Every production variant that can get a request, the old fleet's first."""
        for fleet, share in self.shares:
            if share:
                yield from fleet.variants.values()

    def _fleet(self) -> Fleet | None:
        if len(self.shares) == 1:
            return self.shares[0][0]
        weights = [share for _, share in self.shares]
        return _random.choices(self.shares, weights)[0][0] if any(weights) else None
