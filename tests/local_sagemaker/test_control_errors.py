"""The control plane's numbered errors: code and wording, as reports of the real service have them."""

import pytest


def test_1_an_endpoint_name_is_taken_in_any_case(world, refusal):
    config = world.release()
    name = world.endpoint(config)
    for taken in (name, name.upper()):
        code, message = refusal(
            world.sagemaker.create_endpoint, EndpointName=taken, EndpointConfigName=config
        )
        assert code == "ValidationException"
        assert message == f'Cannot create already existing endpoint "{world.arn("endpoint", name)}".'


def test_2_an_endpoint_configuration_name_is_taken(world, refusal):
    model = world.model()
    name = world.config(world.variant(model))
    code, message = refusal(
        world.sagemaker.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[world.variant(model)],
    )
    assert code == "ValidationException"
    assert message == (
        f'Cannot create already existing endpoint configuration "{world.arn("endpoint-config", name)}".'
    )


def test_3_a_model_name_is_taken(world, refusal):
    name = world.model()
    code, message = refusal(
        world.sagemaker.create_model,
        ModelName=name,
        ExecutionRoleArn=world.role,
        PrimaryContainer=world.container("echo"),
    )
    assert code == "ValidationException"
    assert message == f'Cannot create already existing model "{world.arn("model", name)}".'


@pytest.mark.parametrize("operation", ["describe", "update", "delete", "weights"])
def test_4_a_missing_endpoint(world, refusal, operation):
    calls = {
        "describe": world.sagemaker.describe_endpoint,
        "update": lambda **name: world.sagemaker.update_endpoint(**name, EndpointConfigName=world.release()),
        "delete": world.sagemaker.delete_endpoint,
        "weights": lambda **name: world.sagemaker.update_endpoint_weights_and_capacities(
            **name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredWeight": 1}]
        ),
    }
    code, message = refusal(calls[operation], EndpointName="Missing")
    assert code == "ValidationException"
    assert message == f'Could not find endpoint "{world.arn("endpoint", "Missing")}".'


@pytest.mark.parametrize("operation", ["describe", "delete", "create", "update"])
def test_5_a_missing_endpoint_configuration(world, refusal, operation):
    sagemaker = world.sagemaker
    calls = {
        "describe": sagemaker.describe_endpoint_config,
        "delete": sagemaker.delete_endpoint_config,
        "create": lambda **name: sagemaker.create_endpoint(EndpointName=world.name(), **name),
        "update": lambda **name: sagemaker.update_endpoint(EndpointName=world.endpoint(), **name),
    }
    code, message = refusal(calls[operation], EndpointConfigName="Missing")
    assert code == "ValidationException"
    assert message == (f'Could not find endpoint configuration "{world.arn("endpoint-config", "Missing")}".')


def test_5_deleting_the_live_configuration_fails_the_next_update(world, refusal):
    live, next_one = world.release(), world.release()
    name = world.endpoint(live)
    world.sagemaker.delete_endpoint_config(EndpointConfigName=live)
    code, message = refusal(world.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=next_one)
    assert code == "ValidationException"
    assert message == f'Could not find endpoint configuration "{world.arn("endpoint-config", live)}".'
    assert world.describe(name)["EndpointStatus"] == "InService"


@pytest.mark.parametrize("operation", ["describe", "delete", "use"])
def test_6_a_missing_model(world, refusal, operation):
    calls = {
        "describe": lambda: world.sagemaker.describe_model(ModelName="Missing"),
        "delete": lambda: world.sagemaker.delete_model(ModelName="Missing"),
        "use": lambda: world.config(world.variant("Missing")),
    }
    code, message = refusal(calls[operation])
    assert code == "ValidationException"
    assert message == f'Could not find model "{world.arn("model", "Missing")}".'


@pytest.mark.parametrize("operation", ["update", "weights", "delete"])
def test_7_a_change_is_running(world, refusal, gate, operation):
    config = world.release("gated", GATE=str(gate))
    name = world.begin(config)
    calls = {
        "update": lambda: world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config),
        "weights": lambda: world.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredWeight": 1}]
        ),
        "delete": lambda: world.sagemaker.delete_endpoint(EndpointName=name),
    }
    code, message = refusal(calls[operation])
    assert code == "ValidationException"
    assert message == f'Cannot update in-progress endpoint "{world.arn("endpoint", name)}".'
    gate.touch()
    assert world.settled(name)["EndpointStatus"] == "InService"


def test_9_the_model_data_is_absent(world, refusal):
    uri = f"s3://{world.BUCKET}/nowhere/model.tar.gz"
    code, message = refusal(
        world.sagemaker.create_model,
        ModelName=world.name(),
        ExecutionRoleArn=world.role,
        PrimaryContainer={"Image": "image", "ModelDataUrl": uri},
    )
    assert code == "ValidationException"
    assert message == f"Could not find model data at {uri}."


def test_10_the_model_data_is_in_another_region(world, refusal):
    bucket = world.name("elsewhere").lower()
    world.server.client("s3", "us-west-2").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    world.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"there")
    uri = f"s3://{bucket}/model.tar.gz"
    code, message = refusal(
        world.sagemaker.create_model,
        ModelName=world.name(),
        ExecutionRoleArn=world.role,
        PrimaryContainer={"Image": "image", "ModelDataUrl": uri},
    )
    assert code == "ValidationException"
    assert message.startswith(
        f'Could not access model data at {uri}. Please ensure that the role "{world.role}" exists'
    )


def test_14_arns_carry_names_in_lower_case(world):
    name = world.endpoint()
    assert name != name.lower()
    assert world.describe(name)["EndpointName"] == name
    assert world.describe(name)["EndpointArn"].endswith(f":endpoint/{name.lower()}")


def test_21_a_variant_named_twice_or_unknown(world, refusal):
    name = world.endpoint()
    for variants in (["main", "main"], ["main", "other"]):
        code, message = refusal(
            world.sagemaker.update_endpoint_weights_and_capacities,
            EndpointName=name,
            DesiredWeightsAndCapacities=[
                {"VariantName": variant, "DesiredWeight": 2} for variant in variants
            ],
        )
        assert code == "ValidationException"
        assert variants[1] in message
    settled = world.settled(name)
    assert settled["ProductionVariants"][0]["DesiredWeight"] == 1


def test_variant_names_are_unique_within_a_configuration(world, refusal):
    model = world.model()
    code, message = refusal(world.config, world.variant(model), world.variant(model))
    assert (code, "main" in message) == ("ValidationException", True)


def test_a_variant_has_instances_or_is_serverless(world, refusal):
    model = world.model()
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    for variant in (
        {"VariantName": "main", "ModelName": model},
        {**world.variant(model), "ServerlessConfig": serverless},
    ):
        code, _ = refusal(world.config, variant)
        assert code == "ValidationException"


def test_what_is_not_served_is_refused_rather_than_ignored(world, refusal):
    model = world.model()
    code, message = refusal(
        world.config,
        world.variant(model),
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://models/out"}},
    )
    assert code == "ValidationException"
    assert message.startswith("One or more endpoint features are not supported using this configuration")
    assert "AsyncInferenceConfig" in message


def test_a_request_signed_for_another_region_is_refused(server, refusal):
    code, message = refusal(server.client("sagemaker", "us-east-1").list_endpoints)
    assert code == "InvalidSignatureException"
    assert "us-east-1" in message
