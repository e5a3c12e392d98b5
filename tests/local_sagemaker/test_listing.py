"""Error 22 and its kin: lists by page, order and filter. Endpoint configurations stand for all three."""

import uuid

import pytest


@pytest.fixture(scope="module")
def listed(shared_world):
    """Twelve configurations of one model, oldest first, with a marker in their names."""
    marker = uuid.uuid4().hex[:8]
    model = shared_world.model()
    names = []
    for number in range(12):
        names.append(f"Listed-{marker}-{number:02}")
        shared_world.sagemaker.create_endpoint_config(
            EndpointConfigName=names[-1], ProductionVariants=[shared_world.variant(model)]
        )
    return marker, names


def page(world, **members):
    answer = world.sagemaker.list_endpoint_configs(**members)
    return [found["EndpointConfigName"] for found in answer["EndpointConfigs"]], answer.get("NextToken")


def test_22_ten_a_page_newest_first(world, listed):
    marker, names = listed
    first, token = page(world, NameContains=marker)
    assert first == names[:1:-1]
    rest, token = page(world, NameContains=marker, NextToken=token)
    assert (rest, token) == (names[1::-1], None)


def test_22_pages_as_long_as_asked_for(world, listed):
    marker, names = listed
    assert page(world, NameContains=marker, MaxResults=12) == (names[::-1], None)
    paginator = world.sagemaker.get_paginator("list_endpoint_configs")
    pages = list(paginator.paginate(NameContains=marker, PaginationConfig={"PageSize": 5}))
    assert [len(found["EndpointConfigs"]) for found in pages] == [5, 5, 2]


def test_22_order(world, listed):
    marker, names = listed
    by_name = {"NameContains": marker, "SortBy": "Name", "MaxResults": 100}
    assert page(world, **by_name, SortOrder="Ascending")[0] == names
    assert page(world, **by_name, SortOrder="Descending")[0] == names[::-1]


def test_22_creation_time(world, listed):
    marker, names = listed
    middle = world.sagemaker.describe_endpoint_config(EndpointConfigName=names[6])["CreationTime"]
    after, _ = page(world, NameContains=marker, CreationTimeAfter=middle, MaxResults=100)
    before, _ = page(world, NameContains=marker, CreationTimeBefore=middle, MaxResults=100)
    assert names[11] in after
    assert names[0] not in after
    assert names[0] in before
    assert names[11] not in before


def test_22_endpoints_by_status_and_by_their_last_change(world):
    good, bad = world.endpoint(), world.begin(world.release("cannot_load"))
    world.settled(bad)

    def names(**members):
        found = world.sagemaker.list_endpoints(MaxResults=100, **members)["Endpoints"]
        return {endpoint["EndpointName"] for endpoint in found}

    assert good in names(StatusEquals="InService")
    assert bad not in names(StatusEquals="InService")
    assert bad in names(StatusEquals="Failed")
    changed = world.describe(good)["LastModifiedTime"]
    assert good in names(LastModifiedTimeAfter=changed)
    world.sagemaker.update_endpoint(EndpointName=good, EndpointConfigName=world.release())
    world.settled(good)
    assert good not in names(LastModifiedTimeBefore=changed)


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
