"""The state machine of an endpoint, as a caller sees it."""

import pytest

from tests.conformance.account import refusal

PING_FAILED = (
    "The primary container for production variant main did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)
RETAIN = {"RetainAllVariantProperties": True}


def shares(described):
    """Weight and count of each variant: what is so and what is to be, which agree once it has settled."""
    found = {}
    for variant in described["ProductionVariants"]:
        current = (variant["CurrentWeight"], variant["CurrentInstanceCount"])
        assert current == (variant["DesiredWeight"], variant["DesiredInstanceCount"])
        found[variant["VariantName"]] = current
    return found


@pytest.mark.fact("creating-inservice")
def test_creating_ends_in_service(account):
    config = account.release(RELEASE="1")
    name = account.begin(config)
    creating = account.describe(name)
    assert (creating["EndpointStatus"], creating["EndpointConfigName"]) == ("Creating", config)
    assert refusal(account.invoke, name=name)[0] == "ValidationError"
    states, settled = account.history(name)
    assert states == ["Creating", "InService"]
    assert settled["EndpointConfigName"] == config
    assert settled["LastModifiedTime"] > creating["CreationTime"]
    assert shares(settled) == {"main": (1, 1)}
    assert settled["ProductionVariants"][0]["DeployedImages"][0]["SpecifiedImage"] == account.target.image
    assert "FailureReason" not in settled
    assert account.answer(name)["release"] == "1"


@pytest.mark.fact("error-13")
@pytest.mark.fact("creating-failed")
@pytest.mark.fact("failed-deleted")
def test_creating_ends_failed_when_the_container_does_not_answer_its_ping(account):
    name = account.begin(account.release(FAIL_TO_LOAD="1"))
    states, settled = account.history(name)
    assert states == ["Creating", "Failed"]
    assert settled["FailureReason"].startswith(PING_FAILED)
    # Only a delete is of use.
    code, _ = refusal(
        account.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=account.release()
    )
    assert code == "ValidationException"
    account.sagemaker.delete_endpoint(EndpointName=name)
    assert account.gone(name) in (["Deleting"], [])


@pytest.mark.fact("updating-inservice")
def test_updating_ends_in_service_on_the_new_configuration(account):
    old, new = account.release(RELEASE="1"), account.release(RELEASE="2")
    name = account.endpoint(old)
    before = account.describe(name)
    account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    updating = account.describe(name)
    assert (updating["EndpointStatus"], updating["EndpointConfigName"]) == ("Updating", old)
    assert updating["PendingDeploymentSummary"]["EndpointConfigName"] == new
    assert account.answer(name)["release"] == "1"
    states, settled = account.history(name)
    assert states == ["Updating", "InService"]
    assert settled["EndpointConfigName"] == new
    assert settled["LastModifiedTime"] > before["LastModifiedTime"]
    assert "PendingDeploymentSummary" not in settled
    assert account.answer(name)["release"] == "2"


@pytest.mark.fact("updating-rollingback-inservice")
def test_an_update_that_fails_is_rolled_back_in_silence(account):
    old = account.release(RELEASE="1")
    name = account.endpoint(old)
    states, settled = account.updated(name, account.release(FAIL_TO_LOAD="1"))
    assert states == ["Updating", "RollingBack", "InService"]
    assert settled["EndpointConfigName"] == old  # FailureReason is set, or not
    assert account.answer(name)["release"] == "1"
    # It can be updated again, and then no reason is left.
    new = account.release(RELEASE="3")
    states, settled = account.updated(name, new)
    assert (states[-1], settled["EndpointConfigName"]) == ("InService", new)
    assert "FailureReason" not in settled
    assert account.answer(name)["release"] == "3"


@pytest.mark.fact("inservice-deleted")
def test_deleting_ends_with_nothing(account):
    config = account.release()
    name = account.endpoint(config)
    account.sagemaker.delete_endpoint(EndpointName=name)
    listed = account.sagemaker.list_endpoints(NameContains=name)["Endpoints"]
    assert [found["EndpointStatus"] for found in listed] in (["Deleting"], [])
    assert account.gone(name) in (["Deleting"], [])
    assert account.sagemaker.list_endpoints(NameContains=name)["Endpoints"] == []
    assert refusal(account.invoke, name=name)[0] == "ValidationError"
    # The name is free again, and what it was made from still there.
    account.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=account.tags)
    assert account.settled(name)["EndpointStatus"] == "InService"


@pytest.fixture(scope="module")
def shifted(shared_account):
    """An endpoint whose weights and counts are not those of its configuration; also that configuration."""
    model = shared_account.model()
    config = shared_account.config(
        shared_account.variant(model, "a"),
        shared_account.variant(model, "b"),
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 10,
            "DestinationS3Uri": shared_account.uri("captured"),
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
    )
    return shared_account.endpoint(config), config, model


def shift(account, name):
    """Change both variants at once; the states the endpoint passes, and what is described in the end."""
    account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 3, "DesiredInstanceCount": 2},
            {"VariantName": "b", "DesiredWeight": 0},
        ],
    )
    return account.history(name)


@pytest.mark.fact("weights-updating-inservice")
def test_weights_and_counts_pass_through_updating(account, shifted):
    name, config, _ = shifted
    states, settled = shift(account, name)
    assert states == ["Updating", "InService"]
    assert settled["EndpointConfigName"] == config
    assert shares(settled) == {"a": (3, 2), "b": (0, 1)}
    assert {account.invoke(name)["InvokedProductionVariant"] for _ in range(8)} == {"a"}


@pytest.mark.fact("update-resets")
def test_an_update_resets_weights_and_counts_unless_they_are_retained(account, shifted):
    name, config, model = shifted
    shift(account, name)
    other = account.config(account.variant(model, "a"), account.variant(model, "b"))
    _, retained = account.updated(name, other, **RETAIN)
    assert shares(retained) == {"a": (3, 2), "b": (0, 1)}
    _, narrowed = account.updated(
        name,
        config,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
        **RETAIN,
    )
    assert shares(narrowed) == {"a": (1, 2), "b": (1, 1)}
    _, reset = account.updated(name, other)
    assert shares(reset) == {"a": (1, 1), "b": (1, 1)}


@pytest.mark.fact("update-drops-capture")
def test_an_update_drops_data_capture_that_the_new_configuration_has_not(account, shifted):
    name, config, model = shifted
    _, with_capture = account.updated(name, config)
    assert with_capture["DataCaptureConfig"]["CurrentSamplingPercentage"] == 10
    _, without = account.updated(
        name, account.config(account.variant(model, "a"), account.variant(model, "b"))
    )
    assert "DataCaptureConfig" not in without
