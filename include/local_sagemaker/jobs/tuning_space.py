"""The values of hyperparameters that a tuning job tries: drawn at random, or all of a grid."""

import itertools
import math
import random
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.errors import invalid

_LARGEST_GRID = 10_000
Values = dict[str, str]


class Space:
    """The ranges of one training job definition (ParameterRanges' reference)."""

    def __init__(self, ranges: Mapping[str, Any]) -> None:
        self._integers = ranges.get("IntegerParameterRanges", [])
        self._continuous = ranges.get("ContinuousParameterRanges", [])
        self._categories = ranges.get("CategoricalParameterRanges", [])

    @property
    def names(self) -> list[str]:
        """The hyperparameters that are tuned."""
        return [each["Name"] for each in (*self._integers, *self._continuous, *self._categories)]

    @property
    def grid_size(self) -> int:
        """How many combinations of categories there are."""
        return math.prod(len(each["Values"]) for each in self._categories)

    def check(self, *, grid: bool) -> None:
        """Raise the service's error for ranges that cannot be searched."""
        if not self.names:
            raise invalid("ParameterRanges must have at least one range.")
        if len(set(self.names)) != len(self.names):
            raise invalid("A hyperparameter can have only one range.")
        for each in self._integers:
            _check_range(each, int)
        for each in self._continuous:
            _check_range(each, float)
        if grid and (self._integers or self._continuous):
            raise invalid("Only categorical parameters are supported when using the Grid strategy.")
        if grid and self.grid_size > _LARGEST_GRID:
            raise invalid(
                f"The grid has {self.grid_size} combinations; at most {_LARGEST_GRID} are searched."
            )

    def sample(self, chance: random.Random) -> Values:
        """One combination, drawn on the scale of each range."""
        values = {each["Name"]: str(_integer(each, chance)) for each in self._integers}
        values |= {each["Name"]: repr(_continuous(each, chance)) for each in self._continuous}
        return values | {each["Name"]: chance.choice(each["Values"]) for each in self._categories}

    def cell(self, number: int) -> Values:
        """One combination of the grid, by its number."""
        combinations = itertools.product(*(each["Values"] for each in self._categories))
        chosen = next(itertools.islice(combinations, number, None))
        return dict(zip(self.names, chosen, strict=True))


def _check_range(given: Mapping[str, str], kind: type[int] | type[float]) -> None:
    name, scaling = given["Name"], given.get("ScalingType", "Auto")
    try:
        low, high = kind(given["MinValue"]), kind(given["MaxValue"])
    except ValueError as error:
        raise invalid(
            f"The range of hyperparameter {name} is no range of {kind.__name__}: {error}."
        ) from error
    if low > high:
        raise invalid(f"The range of hyperparameter {name} has a MinValue above its MaxValue.")
    if scaling == "Logarithmic" and low <= 0:
        raise invalid(f"Logarithmic scaling of hyperparameter {name} needs a MinValue above 0.")
    if scaling == "ReverseLogarithmic" and (kind is int or low < 0 or high >= 1):
        raise invalid(
            f"ReverseLogarithmic scaling of hyperparameter {name} needs a continuous range within 0 <= x < 1."
        )


def _integer(given: Mapping[str, str], chance: random.Random) -> int:
    low, high = int(given["MinValue"]), int(given["MaxValue"])
    if given.get("ScalingType") != "Logarithmic":
        return chance.randint(low, high)
    # Every whole number gets the share of the scale that rounds to it.
    drawn = math.exp(chance.uniform(math.log(low - 0.5), math.log(high + 0.5)))
    return min(max(round(drawn), low), high)


def _continuous(given: Mapping[str, str], chance: random.Random) -> float:
    low, high = float(given["MinValue"]), float(given["MaxValue"])
    scaling = given.get("ScalingType")
    if scaling == "Logarithmic":
        drawn = math.exp(chance.uniform(math.log(low), math.log(high)))
    elif scaling == "ReverseLogarithmic":
        drawn = 1 - math.exp(chance.uniform(math.log(1 - high), math.log(1 - low)))
    else:
        drawn = chance.uniform(low, high)
    return min(max(drawn, low), high)
