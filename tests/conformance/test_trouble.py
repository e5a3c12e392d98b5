"""Errors of a service in trouble. AWS has no way to ask for them, so these run here alone."""

import httpx
import pytest
from botocore.exceptions import ClientError

HERE_ALONE = "AWS does not answer so on demand"


@pytest.fixture
def fault(account):
    """Put a fault in force on the local server; all of them go with the test."""
    url = f"{account.target.server.url}/_local/faults"

    def add(**members):
        httpx.post(url, json=members).raise_for_status()

    yield add
    httpx.delete(url).raise_for_status()


def failure(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    response = caught.value.response
    return caught.value, response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]


@pytest.fixture
def impatient(account):
    """Clients that do not try again."""
    return lambda service: account.target.client(service, retries={"total_max_attempts": 1})


@pytest.mark.fact("error-19")
@pytest.mark.local_only(reason=HERE_ALONE)
def test_the_control_plane_is_throttled(fault, impatient, endpoint):
    fault(fault="throttle", service="sagemaker", operation="DescribeEndpoint")
    _, status, error = failure(impatient("sagemaker").describe_endpoint, EndpointName=endpoint)
    assert (status, error["Code"], error["Message"]) == (400, "ThrottlingException", "Rate exceeded")


@pytest.mark.fact("error-19")
@pytest.mark.local_only(reason=HERE_ALONE)
def test_the_runtime_is_throttled(fault, impatient, endpoint):
    fault(fault="throttle", service="sagemaker-runtime", operation="InvokeEndpoint")
    _, status, error = failure(
        impatient("sagemaker-runtime").invoke_endpoint, EndpointName=endpoint, Body=b"1"
    )
    assert (status, error["Code"]) == (400, "ThrottlingException")


@pytest.mark.fact("error-20")
@pytest.mark.local_only(reason=HERE_ALONE)
@pytest.mark.parametrize(
    ("code", "status"),
    [("ModelNotReadyException", 429), ("ServiceUnavailable", 503), ("InternalDependencyException", 530)],
)
def test_the_runtime_is_in_trouble(fault, impatient, endpoint, code, status):
    fault(fault="error", operation="InvokeEndpoint", code=code, status=status)
    runtime = impatient("sagemaker-runtime")
    error, found, _ = failure(runtime.invoke_endpoint, EndpointName=endpoint, Body=b"1")
    assert found == status
    assert isinstance(error, getattr(runtime.exceptions, code))
