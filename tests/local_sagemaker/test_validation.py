"""Error 8: the form of a request, checked against botocore's API model and worded as the service does."""

import http.client
import json

import pytest

NAME_PATTERN = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def detected(*problems: str) -> str:
    plural = "error" if len(problems) == 1 else "errors"
    return f"{len(problems)} validation {plural} detected: {'; '.join(problems)}"


def test_8_a_field_deep_in_a_list_is_named(world, refusal):
    variant = {**world.variant("Model_1"), "VariantName": "main"}
    code, message = refusal(
        world.sagemaker.create_endpoint_config, EndpointConfigName="Config", ProductionVariants=[variant]
    )
    assert code == "ValidationException"
    assert message == detected(
        "Value 'Model_1' at 'productionVariants.1.member.modelName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?"
    )


def test_8_every_problem_is_told_at_once(world, refusal):
    code, message = refusal(
        world.unchecked.create_endpoint_config, EndpointConfigName="a" * 64, ProductionVariants=[]
    )
    assert code == "ValidationException"
    assert message == detected(
        f"Value '{'a' * 64}' at 'endpointConfigName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {NAME_PATTERN}",
        f"Value '{'a' * 64}' at 'endpointConfigName' failed to satisfy constraint: "
        "Member must have length less than or equal to 63",
        "Value '[]' at 'productionVariants' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1",
    )


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (
            {"MaxResults": 101},
            (
                "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value "
                "less than or equal to 100"
            ),
        ),
        (
            {"MaxResults": 0},
            (
                "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value "
                "greater than or equal to 1"
            ),
        ),
        (
            {"SortBy": "Size"},
            (
                "Value 'Size' at 'sortBy' failed to satisfy constraint: Member must satisfy enum "
                "value set: [Name, CreationTime, Status]"
            ),
        ),
    ],
)
def test_8_numbers_and_enumerations(world, refusal, members, problem):
    assert refusal(world.unchecked.list_endpoints, **members) == ("ValidationException", detected(problem))


def test_8_what_is_required(world, refusal):
    code, message = refusal(world.unchecked.create_endpoint, EndpointName="Name")
    assert code == "ValidationException"
    assert message == detected(
        "Value null at 'endpointConfigName' failed to satisfy constraint: Member must not be null"
    )


def test_8_a_map_answers_for_its_keys_and_values(world, refusal):
    container = {**world.container("echo"), "Environment": {"1A": "x", "B": "y" * 1025}}
    code, message = refusal(
        world.unchecked.create_model,
        ModelName="Model",
        ExecutionRoleArn=world.role,
        PrimaryContainer=container,
    )
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: Value '{1A=x, B=yyy")
    assert "at 'primaryContainer.environment' failed to satisfy constraint: Map keys must satisfy" in message
    assert "Map value must satisfy constraint: [Member must have length less than or equal to 1024" in message


def test_8_unicode_classes_of_the_models_patterns(world, refusal):
    name = world.model()
    arn = world.arn("model", name)
    world.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "équipe", "Value": "modèles"}])
    code, message = refusal(
        world.sagemaker.add_tags, ResourceArn=arn, Tags=[{"Key": "team!", "Value": "models"}]
    )
    assert (code, "'tags.1.member.key'" in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    "body", [b"{not json", b"[]", b'{"MaxResults": "ten"}', b'{"NameContains": 3}', b'{"SortBy": true}']
)
def test_a_body_of_the_wrong_types_cannot_be_read(server, body):
    host = server.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    headers = {"X-Amz-Target": "SageMaker.ListEndpoints", "Content-Type": "application/x-amz-json-1.1"}
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert (response.status, answer["__type"]) == (400, "SerializationException")
