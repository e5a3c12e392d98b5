"""The control plane's numbered errors. Messages are asserted where reports of the service have them."""

import pytest

from tests.conformance.account import INSTANCE_TYPE, refusal

ZERO_QUOTA_TYPE = "ml.p4d.24xlarge"  # its quota is 0 in an account that never asked for more


@pytest.mark.fact("error-01")
def test_an_endpoint_name_is_taken_in_any_case(account, endpoint):
    config = account.release()
    for taken in (endpoint, endpoint.upper()):
        assert refusal(account.sagemaker.create_endpoint, EndpointName=taken, EndpointConfigName=config) == (
            "ValidationException",
            f'Cannot create already existing endpoint "{account.arn("endpoint", endpoint)}".',
        )


@pytest.mark.fact("error-02")
def test_an_endpoint_configuration_name_is_taken(account):
    model = account.model()
    name = account.config(account.variant(model))
    assert refusal(
        account.sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[account.variant(model)],
    ) == (
        "ValidationException",
        f'Cannot create already existing endpoint configuration "{account.arn("endpoint-config", name)}".',
    )


@pytest.mark.fact("error-03")
def test_a_model_name_is_taken(account):
    name = account.model()
    assert refusal(
        account.sagemaker.create_model,
        ModelName=name,
        ExecutionRoleArn=account.target.role_arn,
        PrimaryContainer=account.container(),
    ) == (
        "ValidationException",
        f'Cannot create already existing model "{account.arn("model", name)}".',
    )


@pytest.mark.fact("error-04")
@pytest.mark.parametrize("operation", ["describe", "update", "delete", "weights"])
def test_a_missing_endpoint(account, operation):
    sagemaker, missing = account.sagemaker, account.name("Missing")
    calls = {
        "describe": sagemaker.describe_endpoint,
        "update": lambda **name: sagemaker.update_endpoint(**name, EndpointConfigName=account.release()),
        "delete": sagemaker.delete_endpoint,
        "weights": lambda **name: sagemaker.update_endpoint_weights_and_capacities(
            **name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredWeight": 1}]
        ),
    }
    assert refusal(calls[operation], EndpointName=missing) == (
        "ValidationException",
        f'Could not find endpoint "{account.arn("endpoint", missing)}".',
    )


@pytest.mark.fact("error-05")
@pytest.mark.parametrize("operation", ["describe", "delete", "create", "update"])
def test_a_missing_endpoint_configuration(account, endpoint, operation):
    sagemaker, missing = account.sagemaker, account.name("Missing")
    calls = {
        "describe": sagemaker.describe_endpoint_config,
        "delete": sagemaker.delete_endpoint_config,
        "create": lambda **name: sagemaker.create_endpoint(EndpointName=account.name("Endpoint"), **name),
        "update": lambda **name: sagemaker.update_endpoint(EndpointName=endpoint, **name),
    }
    assert refusal(calls[operation], EndpointConfigName=missing) == (
        "ValidationException",
        f'Could not find endpoint configuration "{account.arn("endpoint-config", missing)}".',
    )


@pytest.mark.fact("error-05")
def test_deleting_the_live_configuration_fails_the_next_update(account):
    live, following = account.release(), account.release()
    name = account.endpoint(live)
    account.sagemaker.delete_endpoint_config(EndpointConfigName=live)
    code, message = refusal(
        account.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=following
    )
    assert code == "ValidationException"
    assert message == f'Could not find endpoint configuration "{account.arn("endpoint-config", live)}".'
    assert account.describe(name)["EndpointStatus"] == "InService"


@pytest.mark.fact("error-06")
@pytest.mark.parametrize("operation", ["describe", "delete", "use"])
def test_a_missing_model(account, operation):
    missing = account.name("Missing")
    calls = {
        "describe": lambda: account.sagemaker.describe_model(ModelName=missing),
        "delete": lambda: account.sagemaker.delete_model(ModelName=missing),
        "use": lambda: account.config(account.variant(missing)),
    }
    code, message = refusal(calls[operation])
    assert code == "ValidationException"
    assert message.startswith(f'Could not find model "{account.arn("model", missing)}"')


@pytest.mark.fact("error-07")
def test_a_change_is_running(account):
    config = account.release()
    name = account.begin(config)
    calls = {
        "update": lambda: account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config),
        "weights": lambda: account.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredWeight": 1}]
        ),
        "delete": lambda: account.sagemaker.delete_endpoint(EndpointName=name),
    }
    for operation, call in calls.items():
        assert refusal(call) == (
            "ValidationException",
            f'Cannot update in-progress endpoint "{account.arn("endpoint", name)}".',
        ), operation


@pytest.mark.fact("error-08")
def test_a_field_deep_in_a_list_is_named(account):
    code, message = refusal(
        account.unchecked.create_endpoint_config,
        EndpointConfigName=account.name("Config"),
        ProductionVariants=[account.variant("Model_1")],
    )
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'Model_1' at 'productionVariants.1.member.modelName' failed to "
        "satisfy constraint: Member must satisfy regular expression pattern: "
    )


@pytest.mark.fact("error-08")
def test_a_name_has_at_most_63_characters(account):
    for name in ("a" * 63, "a" * 64):
        code, message = refusal(account.unchecked.describe_endpoint, EndpointName=name)
        assert code == "ValidationException"
        assert ("Member must have length less than or equal to 63" in message) == (len(name) > 63)


@pytest.mark.fact("error-09")
def test_the_model_data_is_absent(account):
    uri = account.uri("nowhere/model.tar.gz")
    code, message = refusal(create_model_of(account, uri))
    assert code == "ValidationException"
    assert message.startswith(f"Could not find model data at {uri}.")


@pytest.mark.fact("error-10")
def test_the_model_data_is_in_another_region(account):
    region = account.target.other_region
    s3, bucket = account.target.client("s3", region), account.name("elsewhere").lower()
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    account.at_the_end(s3.delete_bucket, Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"there")
    account.at_the_end(s3.delete_object, Bucket=bucket, Key="model.tar.gz")
    uri = f"s3://{bucket}/model.tar.gz"
    code, message = refusal(create_model_of(account, uri))
    assert code == "ValidationException"
    role = account.target.role_arn
    assert message.startswith(
        f'Could not access model data at {uri}. Please ensure that the role "{role}" exists'
    )


def create_model_of(account, uri):
    return lambda: account.sagemaker.create_model(
        ModelName=account.name("Model"),
        ExecutionRoleArn=account.target.role_arn,
        PrimaryContainer={**account.container(), "ModelDataUrl": uri},
    )


@pytest.mark.fact("error-11")
def test_a_quota_is_reached(account):
    config = account.config({**account.variant(account.model(), count=2), "InstanceType": ZERO_QUOTA_TYPE})
    code, message = refusal(account.begin, config=config)
    assert code == "ResourceLimitExceeded"
    assert message.startswith(
        f"The account-level service limit '{ZERO_QUOTA_TYPE} for endpoint usage' is 0 Instances, with "
        "current utilization of 0 Instances and a request delta of 2 Instances."
    )


@pytest.mark.fact("error-12")
def test_features_that_do_not_go_together(account):
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": account.uri("captured"),
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    variant = account.serverless(account.model())

    # Which of the two calls refuses is not recorded.
    def release():
        account.begin(account.config(variant, DataCaptureConfig=capture))

    code, message = refusal(release)
    assert code == "ValidationException"
    assert message.startswith("One or more endpoint features are not supported using this configuration")


@pytest.mark.fact("error-14")
def test_arns_carry_names_in_lower_case(account, endpoint):
    described = account.describe(endpoint)
    assert described["EndpointName"] == endpoint != endpoint.lower()
    assert described["EndpointArn"] == account.arn("endpoint", endpoint)
    config = account.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    assert config["EndpointConfigArn"] == account.arn("endpoint-config", described["EndpointConfigName"])
    (variant,) = config["ProductionVariants"]
    assert variant["InstanceType"] == INSTANCE_TYPE
    model = account.sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["ModelArn"] == account.arn("model", variant["ModelName"])


@pytest.mark.fact("error-21")
@pytest.mark.parametrize("second", ["main", "other"])
def test_a_variant_named_twice_or_unknown(account, endpoint, second):
    changes = [{"VariantName": variant, "DesiredWeight": 2} for variant in ("main", second)]
    code, _ = refusal(
        account.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=changes,
    )
    assert code == "ValidationException"
    described = account.describe(endpoint)
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"][0]["DesiredWeight"] == 1


@pytest.mark.fact("error-24")
def test_a_model_package_group_name_is_taken(account):
    name = account.name("Group")
    account.sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=account.tags)
    account.at_the_end(account.sagemaker.delete_model_package_group, ModelPackageGroupName=name)
    code, message = refusal(account.sagemaker.create_model_package_group, ModelPackageGroupName=name)
    assert code == "ValidationException"
    assert message.startswith("Model Package Group already exists: ")
