"""The runtime's numbered errors."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.conformance.account import refusal

MIB = 1024 * 1024


@pytest.mark.fact("error-15")
def test_a_missing_endpoint(account, endpoint):
    # Unlike the control plane, the runtime minds the case.
    for name in (account.name("Missing"), endpoint.upper()):
        assert refusal(account.invoke, name=name) == (
            "ValidationError",
            f"Endpoint {name} of account {account.target.account} not found.",
        )


@pytest.mark.fact("error-16")
def test_the_container_answers_with_an_error(account, endpoint):
    error = model_error(account, endpoint, "raise no such feature")
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"]
    assert error["LogStreamArn"].startswith(f"arn:aws:logs:{account.target.region}:{account.target.account}:")
    assert f"log-group:/aws/sagemaker/Endpoints/{endpoint}" in error["LogStreamArn"]
    message = error["Error"]["Message"]
    assert message.startswith('Received server error (500) from primary with message "')
    assert message.endswith(f" in account {account.target.account} for more information.")


@pytest.mark.fact("error-17")
def test_the_container_does_not_answer_in_time(account):
    # An endpoint of its own: the container goes on sleeping after the service has given up.
    error = model_error(account, account.endpoint(), "sleep 70")
    assert error["OriginalStatusCode"] == 0
    assert error["Error"]["Message"].startswith(
        'Received server error (0) from primary with message "Your invocation timed out while waiting for a '
        "response from container primary. "
    )


def model_error(account, endpoint, body):
    """The answer to an invocation that ends in a ModelError."""
    with pytest.raises(account.runtime.exceptions.ModelError) as caught:
        account.invoke(endpoint, body)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    return caught.value.response


@pytest.mark.fact("error-18")
def test_a_body_over_6_mib(account, endpoint):
    with pytest.raises(ClientError, match=r"HTTP content length exceeded \d+ bytes") as caught:
        account.invoke(endpoint, "x" * (6 * MIB + 1))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert account.answer(endpoint, "x" * (6 * MIB))["length"] == 6 * MIB


@pytest.mark.fact("error-18")
def test_a_body_over_4_mib_on_a_serverless_variant(account, serverless_endpoint):
    assert account.answer(serverless_endpoint, "x" * (4 * MIB - 1))["length"] == 4 * MIB - 1
    code, message = refusal(account.invoke, name=serverless_endpoint, body="x" * (4 * MIB + 1))
    assert code == "ValidationError"
    assert message.startswith("Request ")
    assert message.endswith(" has oversize body.")


@pytest.mark.fact("error-19")
def test_a_serverless_variant_is_asked_for_more_than_its_concurrency(account, serverless_endpoint):
    runtime = account.target.client("sagemaker-runtime", retries={"total_max_attempts": 1})

    def throttled():
        try:
            runtime.invoke_endpoint(EndpointName=serverless_endpoint, Body=b"1", ContentType="text/csv")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ThrottlingException":
                raise
            return True
        return False

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(account.invoke, serverless_endpoint, "sleep 5")
        account.until(lambda: slow.done() or throttled(), "a second request at once is throttled")
        assert not slow.done()
