"""What serves an endpoint at a moment, and which variant a request goes to."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from local_sagemaker.hosting.fleet import Fleet, VariantFleet

_random = random.Random()  # noqa: S311 - shares of traffic, nothing secret


@dataclass(frozen=True)
class Route:
    """A variant of one fleet, and the share of that variant's requests that this fleet answers."""

    fleet: Fleet
    variant: VariantFleet
    share: float = 1.0
    # Two fleets may give their weights in different measures (1 and 1, or 50 and 50).
    unit: float = 1.0

    @property
    def weight(self) -> float:
        """What counts when a request names no variant."""
        return self.share * self.unit * self.variant.variant.weight


class Traffic:
    """One fleet, or the old and the new one during a deployment, each with its share of the requests."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [route for route in routes if route.share > 0]

    @classmethod
    def to(cls, fleet: Fleet) -> "Traffic":
        """Everything to one fleet."""
        return cls([Route(fleet, variant) for variant in fleet.variants.values()])

    @classmethod
    def split(cls, old: Fleet, new: Fleet, shares: Mapping[str, float]) -> "Traffic":
        """`shares` of each variant's requests (0 to 1, by its name) to the new fleet, the rest to the old."""
        routes = [
            Route(old, variant, 1 - shares.get(name, 0.0), _unit(old))
            for name, variant in old.variants.items()
        ]
        routes += [
            Route(new, variant, shares.get(name, 0.0), _unit(new)) for name, variant in new.variants.items()
        ]
        return cls(routes)

    def choose(self, target_variant: str | None = None) -> VariantFleet | None:
        """Where a request goes: a variant by weight, or the one named, in either fleet by its share.

        None when no variant has any weight, or there is none of that name.
        """
        if target_variant is None:
            routes, weights = self._routes, [route.weight for route in self._routes]
        else:
            routes = [route for route in self._routes if route.variant.variant.name == target_variant]
            weights = [route.share for route in routes]
        if len(routes) == 1:
            return routes[0].variant if weights[0] else None
        return _random.choices(routes, weights)[0].variant if any(weights) else None

    def shadows(self, chosen: VariantFleet) -> list[VariantFleet]:
        """The shadow variants that get a copy of a request to `chosen`, drawn anew for each request.

        A shadow variant's weight, in proportion to the production variant's, is the share of
        requests it sees (hosting guide, Shadow variants).
        """
        return [
            shadow
            for route in self._routes
            if route.variant is chosen
            for shadow in route.fleet.shadows.values()
            if _random.random() * chosen.variant.weight < shadow.variant.weight
        ]

    def shares(self) -> dict[VariantFleet, float]:
        """What each variant of each fleet answers of the requests that name none, 0 to 1."""
        total = sum(route.weight for route in self._routes)
        return {route.variant: route.weight / total if total else 0.0 for route in self._routes}

    def variants(self) -> Iterator[VariantFleet]:
        """Every production variant that can get a request, the old fleet's first."""
        return (route.variant for route in self._routes)


def _unit(fleet: Fleet) -> float:
    total = sum(variant.variant.weight for variant in fleet.variants.values())
    return 1 / total if total else 1.0
