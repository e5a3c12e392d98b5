"""Strategy `ab_test`: champion and candidate share the traffic until the team's own metric names a winner."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from endpoint_deploy.core.problems import Unfit
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.core.watch_spec import LookSeconds, WatchSpec

_DAY = 86_400
_OWN = frozenset({"EndpointName", "VariantName"})  # the dimensions that the pipeline fills in
_DIMENSIONS = 30  # of a metric, at most (CloudWatch's reference, Dimension)


class SuccessMetric(Strict):
    """The team's metric in CloudWatch, a sample a trial: 1 for a success, 0 for none.

    It is published with the dimensions EndpointName and VariantName, and with the further ones given here.
    CloudWatch's SampleCount is then the number of trials, and its Sum that of successes.
    """

    namespace: Annotated[str, Field(pattern=r"^[\w.\-/#: ]+$", min_length=1, max_length=255)] = Field(
        json_schema_extra={"patternErrorMessage": "letters, digits, spaces and . - _ / # :"}
    )
    name: Annotated[str, Field(min_length=1, max_length=255)]
    dimensions: Annotated[
        dict[
            Annotated[str, Field(min_length=1, max_length=255)],
            Annotated[str, Field(min_length=1, max_length=1024)],
        ],
        Field(max_length=_DIMENSIONS - len(_OWN)),
    ] = Field({}, description="Further dimensions it has, beside EndpointName and VariantName.")
    better: Literal["higher", "lower"] = "higher"
    least_difference: Annotated[float, Field(gt=0, lt=100)] = Field(
        description="Percentage points: the smallest gain worth a switch. Half of it takes four times the "
        "samples."
    )
    expected_percent: Annotated[float, Field(gt=0, lt=100)] | None = Field(
        None,
        description="The champion's rate, for the plan's number of samples, where CloudWatch has none yet.",
    )
    least_samples: Annotated[int, Field(ge=2, le=1_000_000_000)] = Field(
        100, description="Of each side, below which nothing is said."
    )
    false_alarms: Annotated[float, Field(ge=0.0001, lt=0.5)] = Field(
        0.05, description="Share of the tests that a candidate wins which is no better."
    )
    missed: Annotated[float, Field(ge=0.0001, lt=0.5)] = Field(
        0.05, description="Share of the tests that a candidate loses which is better by least_difference."
    )
    delay_seconds: Annotated[float, Field(ge=0, le=_DAY)] = Field(
        120.0, description="What is younger is left out: CloudWatch may not have all of it yet."
    )

    @model_validator(mode="after")
    def _dimensions_are_further_ones(self) -> Self:
        for key in self.dimensions:
            if key in _OWN:
                raise Unfit(
                    at=("dimensions", key),
                    found=f"the dimension {key}",
                    expected="further ones only: the pipeline asks for each variant of the endpoint itself",
                )
        return self

    @model_validator(mode="after")
    def _namespace_is_their_own(self) -> Self:
        if self.namespace.startswith("AWS/"):
            raise Unfit(
                at=("namespace",),
                found=repr(self.namespace),
                expected="a namespace of your own: nobody else can publish into AWS's",
            )
        return self

    @property
    def label(self) -> str:
        """Namespace and name in one."""
        return f"{self.namespace} {self.name}"


class AbTestRelease(Strict):
    """The candidate gets a fixed share of the traffic until a metric of the team's own names a winner."""

    strategy: Literal["ab_test"]
    split_percent: Annotated[int, Field(ge=1, le=99)] = Field(
        50, description="The candidate's share of the traffic. Away from 50 a test takes more traffic."
    )
    metric: SuccessMetric
    least_seconds: Annotated[int, Field(ge=0, le=60 * _DAY)] = Field(
        3600, description="The candidate wins no sooner; the champion may."
    )
    most_seconds: Annotated[int, Field(ge=1, le=60 * _DAY)] = Field(
        7 * _DAY, description="A test without a winner is inconclusive then."
    )
    look_seconds: LookSeconds = Field(
        60, description="Pause between two looks at alarms, analysis and metric."
    )
    on_inconclusive: Literal["keep", "promote", "ask"] = Field(
        "keep",
        description="What follows from a test without a winner: `keep` the champion, `promote` the "
        "candidate, or `ask` a person. Without any data `promote` keeps the champion, too.",
    )
    ask_seconds: Annotated[int, Field(ge=10, le=30 * _DAY)] = Field(
        _DAY, description="Where a person is asked: without an answer within it, the champion is kept."
    )
    watch: WatchSpec = WatchSpec()

    @property
    def percents(self) -> tuple[int, ...]:
        """Of the traffic, which the candidate gets before it gets all of it."""
        return (self.split_percent,)

    @model_validator(mode="after")
    def _least_within_most(self) -> Self:
        if self.least_seconds > self.most_seconds:
            raise Unfit(
                at=("least_seconds",) if "least_seconds" in self.model_fields_set else ("most_seconds",),
                found=f"least_seconds {self.least_seconds} and most_seconds {self.most_seconds}",
                expected="at most most_seconds in least_seconds",
            )
        return self
