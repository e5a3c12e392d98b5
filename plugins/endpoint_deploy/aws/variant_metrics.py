"""What a variant has seen, by CloudWatch: requests, errors, latency."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from endpoint_deploy.aws.metric_data import Statistic, Unreadable, metric_data
from endpoint_deploy.core.strict import Strict

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_MINUTE = 60
_REQUESTS: Statistic = ("Invocations", "Sum")
_ERRORS: Statistic = ("Invocation5XXErrors", "Sum")
_LATENCY: Statistic = ("ModelLatency", "Average")  # microseconds


class Seen(Strict):
    """Requests and those answered with 5XX; the mean of the minutes' latencies in milliseconds."""

    requests: int
    errors: int
    latency_ms: float | None


def seen_by(
    cloudwatch: "CloudWatchClient", endpoint: str, variants: Sequence[str], *, since: datetime
) -> dict[str, Seen]:
    """By variant, from the minute on in which `since` lies. A shadow has the same metrics as any variant.

    Raises Unreadable also where there are requests and CloudWatch does not know yet how they ended.
    """
    span = since.replace(second=0, microsecond=0), datetime.now(UTC) + timedelta(seconds=_MINUTE)
    statistics = [_REQUESTS, _ERRORS, _LATENCY]
    data = metric_data(cloudwatch, endpoint, variants, statistics, period=_MINUTE, span=span)

    def of(variant: str) -> Seen:
        requests, errors, latencies = (data[variant, each] for each in statistics)
        # Each request counts there, with 0 where it was answered (the guide to the metrics of invocations).
        if unknown := [at for at, asked in requests.items() if asked and at not in errors]:
            raise Unreadable(f"CloudWatch has no {_ERRORS[0]} of {variant} for {unknown[0]:%H:%M}")
        mean = sum(latencies.values()) / len(latencies) / 1000 if latencies else None
        return Seen(
            requests=round(sum(requests.values())), errors=round(sum(errors.values())), latency_ms=mean
        )

    return {variant: of(variant) for variant in variants}
