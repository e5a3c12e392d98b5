"""How a release reaches the endpoint: the strategies a spec may name under `release`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core.ab_spec import AbTestRelease
from endpoint_deploy.core.guardrail_spec import AllAtOnce, GuardSpec, RoutingSpec
from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.core.watch_spec import LookSeconds, WatchSpec

_DAY = 86_400


class StepSpec(Strict):
    """How long a step before the last one is kept, and how often it is looked at."""

    least_seconds: Annotated[int, Field(ge=0, le=_DAY)] = Field(
        300, description="A step lasts at least as long, however good it looks."
    )
    most_seconds: Annotated[int, Field(ge=1, le=7 * _DAY)] = Field(
        3600, description="What is undecided after it counts as inconclusive."
    )
    look_seconds: LookSeconds = Field(30, description="Pause between two looks at alarms and analysis.")
    ask_seconds: Annotated[int, Field(ge=10, le=30 * _DAY)] = Field(
        _DAY,
        description="Where the analysis asks a person: without an answer within it, the release goes back.",
    )

    @model_validator(mode="after")
    def _least_within_most(self) -> Self:
        if self.least_seconds > self.most_seconds:
            raise Unfit(
                at=("least_seconds",),
                found=str(self.least_seconds),
                expected=f"at most most_seconds, which is {self.most_seconds}",
            )
        return self


class StagedRelease(Strict):
    """The candidate joins the champion at weight 0, is proved there, then takes the traffic in steps."""

    strategy: Literal["staged"] = "staged"
    steps: Annotated[
        tuple[Annotated[int, Field(ge=1, le=99)], ...],
        Field(
            max_length=20,
            description="Percentages of the traffic that the candidate gets, one after another; 100 follows.",
        ),
    ] = ()
    step: StepSpec = StepSpec()
    watch: WatchSpec = WatchSpec()

    @property
    def percents(self) -> tuple[int, ...]:
        """Of the traffic, which the candidate gets before it gets all of it."""
        return self.steps

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        for index in range(1, len(self.steps)):
            before, step = self.steps[index - 1 : index + 1]
            if step <= before:
                raise Unfit(
                    at=("steps", index),
                    found=f"{step} after {before}",
                    expected=f"more than {before}: each step gives the candidate more of the traffic",
                )
        return self


class DirectRelease(Strict):
    """One update of the endpoint, proved afterwards; the service's alarms may roll it back."""

    strategy: Literal["direct"]
    watch: WatchSpec = WatchSpec()
    routing: RoutingSpec = Field(
        AllAtOnce(), description="How SageMaker moves the traffic from the old instances to the new ones."
    )
    guard: GuardSpec | None = None


class ShadowRelease(Strict):
    """The candidate stands beside the champion as a shadow variant, is observed there, then takes over."""

    strategy: Literal["shadow"]
    observe_seconds: Annotated[int, Field(ge=1, le=30 * _DAY)] = Field(
        3600, description="How long the shadow is observed before it takes over."
    )
    look_seconds: Annotated[float, Field(ge=0.1, le=3600)] = Field(
        30, description="Pause between two looks at its alarms."
    )
    sampling_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        100, description="Percentage of the requests that are copied to the shadow."
    )
    least_requests: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        100, description="A shadow that has seen fewer does not take over: nothing is known of it."
    )
    guard: GuardSpec = GuardSpec(error_rate=0.05)

    @property
    def watch(self) -> WatchSpec:
        """None: what it is watched for comes before it has any traffic."""
        return WatchSpec()


ReleaseSpec = Annotated[
    StagedRelease | DirectRelease | ShadowRelease | AbTestRelease, Field(discriminator="strategy")
]
# Champion and candidate stand side by side, and their weights move the traffic.
SIDE_BY_SIDE = (StagedRelease, AbTestRelease)
