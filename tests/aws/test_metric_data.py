"""What CloudWatch does not say in full is unreadable, and never nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from endpoint_deploy.aws.metric_data import Unreadable, metric_data, metric_data_of_all
from endpoint_deploy.aws.variant_metrics import Seen, seen_by

NOW = datetime.now(UTC)
SPAN = (NOW - timedelta(minutes=5), NOW)
REQUESTS, ERRORS = ("Invocations", "Sum"), ("Invocation5XXErrors", "Sum")
Answer = dict[str, Any]


@pytest.fixture
def cloudwatch(local_sagemaker: Any) -> Any:
    return local_sagemaker.client("cloudwatch")


def answering(cloudwatch: Any, change: Callable[[Answer], None]) -> None:
    """Change what the service's answers say."""
    cloudwatch.meta.events.register("after-call.cloudwatch.GetMetricData", lambda parsed, **_: change(parsed))


def read(cloudwatch: Any) -> Any:
    return metric_data(cloudwatch, "no-endpoint", ["a", "b"], [REQUESTS, ERRORS], period=60, span=SPAN)


def test_where_nobody_was_asked_there_is_nothing_and_it_can_be_read(cloudwatch: Any) -> None:
    assert read(cloudwatch) == {(name, each): {} for name in ("a", "b") for each in (REQUESTS, ERRORS)}
    assert seen_by(cloudwatch, "no-endpoint", ["a"], since=NOW) == {
        "a": Seen(requests=0, errors=0, latency_ms=None)
    }


def test_five_hundred_metrics_of_many_endpoints_are_one_question(cloudwatch: Any) -> None:
    asked: list[int] = []
    cloudwatch.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData",
        lambda params, **_: asked.append(len(params["MetricDataQueries"])),
    )
    variants = {f"no-endpoint-{number}": ["a", "b"] for number in range(126)}
    found = metric_data_of_all(cloudwatch, variants, [REQUESTS, ERRORS], period=60, span=SPAN)
    assert asked == [500, 4]
    assert found == {
        name: {(each, statistic): {} for each in "ab" for statistic in (REQUESTS, ERRORS)}
        for name in variants
    }


@pytest.mark.parametrize("status", ["InternalError", "Forbidden", "PartialData"])
def test_an_answer_in_part_is_none(cloudwatch: Any, status: str) -> None:
    answering(cloudwatch, lambda parsed: parsed["MetricDataResults"][-1].update(StatusCode=status))
    with pytest.raises(Unreadable, match=f"Invocation5XXErrors of b: {status}"):
        read(cloudwatch)


def test_an_error_on_one_page_is_not_made_good_by_the_next(cloudwatch: Any) -> None:
    pages = iter(["InternalError", "Complete"])

    def next_page(parsed: Answer) -> None:
        status = next(pages)
        parsed["MetricDataResults"][0]["StatusCode"] = status
        if status != "Complete":
            parsed["NextToken"] = "more"

    answering(cloudwatch, next_page)
    # The service does not know the token that was made up: it is taken out of the second question.
    cloudwatch.meta.events.register(
        "before-parameter-build.cloudwatch.GetMetricData", lambda params, **_: params.pop("NextToken", None)
    )
    with pytest.raises(Unreadable, match="Invocations of a: InternalError"):
        read(cloudwatch)
    assert list(pages) == []


def test_a_metric_that_is_not_answered_for_is_unreadable(cloudwatch: Any) -> None:
    answering(cloudwatch, lambda parsed: parsed["MetricDataResults"].pop())
    with pytest.raises(Unreadable, match="Invocation5XXErrors of b: nothing"):
        read(cloudwatch)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no right"}}, "GetMetricData"),
            "answered AccessDenied: no right",
        ),
        (EndpointConnectionError(endpoint_url="http://gone"), "did not answer: Could not connect"),
    ],
)
def test_no_answer_is_unreadable(cloudwatch: Any, error: Exception, said: str) -> None:
    def fail(**_: Any) -> None:
        raise error

    cloudwatch.meta.events.register("before-parse.cloudwatch.GetMetricData", fail)
    with pytest.raises(Unreadable, match=said):
        read(cloudwatch)


def test_requests_without_their_ends_are_unreadable(cloudwatch: Any) -> None:
    def requests_alone(parsed: Answer) -> None:
        parsed["MetricDataResults"][0].update(Timestamps=[NOW], Values=[3.0])

    answering(cloudwatch, requests_alone)
    with pytest.raises(Unreadable, match="CloudWatch has no Invocation5XXErrors of a for"):
        seen_by(cloudwatch, "no-endpoint", ["a"], since=NOW)
