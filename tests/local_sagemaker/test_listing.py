"""What is listed, described and tagged, beyond what the conformance suite asks of any SageMaker."""

import pytest


def test_a_made_up_token_is_refused(world, refusal):
    assert refusal(world.sagemaker.list_models, NextToken="made up")[0] == "ValidationException"


def test_models_are_listed(world):
    name = world.model()
    (found,) = world.sagemaker.list_models(NameContains=name[-8:])["Models"]
    assert found["ModelName"] == name
    assert found["ModelArn"] == world.arn("model", name)


def test_deleted_models_and_configurations_are_gone(world, refusal):
    model = world.model()
    config = world.config(world.variant(model))
    world.sagemaker.delete_model(ModelName=model)
    world.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    assert refusal(world.sagemaker.describe_model, ModelName=model)[0] == "ValidationException"
    assert world.sagemaker.list_endpoint_configs(NameContains=config)["EndpointConfigs"] == []


def test_what_is_described_is_what_was_sent(world):
    container = world.container("echo", {"A": "1"})
    name = world.name()
    world.sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=world.role, PrimaryContainer=container, EnableNetworkIsolation=True
    )
    described = world.sagemaker.describe_model(ModelName=name)
    assert described["PrimaryContainer"] == container
    assert described["EnableNetworkIsolation"] is True
    assert described["ExecutionRoleArn"] == world.role
    variant = world.variant(name, weight=0.5)
    config = world.sagemaker.describe_endpoint_config(EndpointConfigName=world.config(variant))
    assert config["ProductionVariants"] == [variant]


@pytest.mark.parametrize("kind", ["model", "endpoint-config", "endpoint"])
def test_tags(world, kind):
    model = world.model()
    names = {"model": model, "endpoint-config": world.config(world.variant(model))}
    names["endpoint"] = world.endpoint(names["endpoint-config"])
    arn = world.arn(kind, names[kind])
    tags = [{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "b"}]
    world.sagemaker.add_tags(ResourceArn=arn, Tags=tags)
    assert world.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    world.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "c"}])
    world.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["stage", "never there"])
    assert world.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "c"}]


def test_tags_given_at_creation_and_tags_of_what_is_missing(world, refusal):
    tags = [{"Key": "team", "Value": "a"}]
    config = world.config(world.variant(world.model()), Tags=tags)
    name = world.name()
    world.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=tags)
    for kind, tagged in (("endpoint-config", config), ("endpoint", name)):
        assert world.sagemaker.list_tags(ResourceArn=world.arn(kind, tagged))["Tags"] == tags
    code, message = refusal(world.sagemaker.list_tags, ResourceArn=world.arn("model", "missing"))
    assert (code, "missing" in message) == ("ValidationException", True)


def test_pages_stay_whole_while_things_are_created_and_deleted(world):
    marker = world.name("Paged")
    container = {"Image": "image"}

    def create(number):
        name = f"{marker}-{number}"
        world.sagemaker.create_model(ModelName=name, ExecutionRoleArn=world.role, PrimaryContainer=container)
        return name

    names = [create(number) for number in range(5)]
    first = world.sagemaker.list_models(NameContains=marker, MaxResults=2)
    create(5)  # newer than all: it belongs to the page that was shown already
    world.sagemaker.delete_model(ModelName=names[4])
    rest = world.sagemaker.list_models(NameContains=marker, NextToken=first["NextToken"])
    shown = [found["ModelName"] for page in (first, rest) for found in page["Models"]]
    assert shown == names[::-1]


def test_a_token_of_another_order_is_refused(world, refusal):
    model = world.model()
    world.model()
    token = world.sagemaker.list_models(MaxResults=1)["NextToken"]
    assert model
    code, _ = refusal(world.sagemaker.list_models, SortBy="Name", NextToken=token)
    assert code == "ValidationException"
