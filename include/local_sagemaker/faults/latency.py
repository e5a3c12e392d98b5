"""How long something takes when it is made slow: a constant, or a distribution."""

import math
import random
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

_Z_OF_P99 = 2.3263478740408408  # the standard normal distribution's 99th percentile

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Between(_Model):
    """Anything between two durations, each as likely."""

    min: Seconds
    max: Seconds

    @model_validator(mode="after")
    def _ordered(self) -> "Between":
        if self.max < self.min:
            raise ValueError(f"max ({self.max:g}) must not be below min ({self.min:g})")
        return self

    def draw(self, chance: random.Random) -> float:
        """A duration, in seconds."""
        return chance.uniform(self.min, self.max)


class Percentiles(_Model):
    """A log-normal distribution by its median and 99th percentile: the long tail of real latencies."""

    p50: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    p99: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _ordered(self) -> "Percentiles":
        if self.p99 < self.p50:
            raise ValueError(f"p99 ({self.p99:g}) must not be below p50 ({self.p50:g})")
        return self

    def draw(self, chance: random.Random) -> float:
        """A duration, in seconds."""
        return chance.lognormvariate(math.log(self.p50), math.log(self.p99 / self.p50) / _Z_OF_P99)


def _form(value: Any) -> str:
    """Which of the forms is meant, so that what is wrong with it is said of that form alone."""
    if isinstance(value, Between) or (isinstance(value, dict) and ("min" in value or "max" in value)):
        return "between"
    return "percentiles" if isinstance(value, dict | Percentiles) else "seconds"


Latency = Annotated[
    Annotated[Seconds, Tag("seconds")]
    | Annotated[Between, Tag("between")]
    | Annotated[Percentiles, Tag("percentiles")],
    Discriminator(_form),
]


def draw(latency: Latency, chance: random.Random) -> float:
    """A duration, in seconds, that depends on nothing but `chance`."""
    return latency if isinstance(latency, float) else latency.draw(chance)
