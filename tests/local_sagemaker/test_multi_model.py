"""Multi-model endpoints: models by name, loaded when asked for, unloaded when there are too many."""

import pytest

from tests.local_sagemaker.world import MODELS

LIMIT = 2


@pytest.fixture(scope="module")
def make_endpoint(shared_world, make_archive):
    world = shared_world
    code = (MODELS / "member.py").read_text()

    def put(prefix, name, **files):
        body = make_archive(code, **{"name.txt": name, **files})
        world.s3.put_object(Bucket=world.BUCKET, Key=f"{prefix}/{name}.tar.gz", Body=body)

    def make(*names, **members):
        prefix = world.name("models")
        for name in names:
            put(prefix, name)
        model = world.name("Several")
        world.sagemaker.create_model(
            ModelName=model,
            ExecutionRoleArn=world.role,
            PrimaryContainer={
                "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/python:1",
                "Mode": "MultiModel",
                "ModelDataUrl": f"s3://{world.BUCKET}/{prefix}/",
                "Environment": {"LOCAL_SAGEMAKER_MAX_LOADED_MODELS": str(LIMIT)},
                **members,
            },
        )
        return world.endpoint(world.config(world.variant(model))), prefix

    make.put = put
    return make


@pytest.fixture(scope="module")
def several(make_endpoint):
    return make_endpoint("a", "b", "c")


def _ask(world, name, target, body="x"):
    """The model that answered, and its process."""
    answer = world.invoke(name, body, TargetModel=f"{target}.tar.gz")["Body"].read().decode()
    model, pid = answer.split()
    return model, int(pid)


def test_models_are_loaded_on_first_use_and_the_least_recently_used_goes(
    world, several, no_longer_running, wait_until
):
    name, _ = several
    assert world.server.replica_pids(name) == []
    model, first = _ask(world, name, "a")
    assert (model, world.server.replica_pids(name)) == ("a", [first])
    second = _ask(world, name, "b")[1]
    assert _ask(world, name, "a") == ("a", first)  # still loaded, and now used after b
    third = _ask(world, name, "c")[1]
    wait_until(lambda: no_longer_running([second]), "b is unloaded")
    assert sorted(world.server.replica_pids(name)) == sorted([first, third])
    assert _ask(world, name, "b")[0] == "b"


def test_a_model_can_be_added_later_and_removed(world, several, make_endpoint, refusal):
    name, prefix = several
    code, message = refusal(_ask, world, name, "later")
    assert code == "ValidationError"
    assert message.startswith(
        f"Failed to download model data(bucket: {world.BUCKET}, key: {prefix}/later.tar.gz). Please ensure"
    )
    make_endpoint.put(prefix, "later")
    assert _ask(world, name, "later")[0] == "later"


def test_a_model_whose_process_dies_is_loaded_anew(world, several, refusal):
    name, _ = several
    before = _ask(world, name, "a")[1]
    assert refusal(_ask, world, name, "a", "die")[0] == "ServiceUnavailable"
    model, after = _ask(world, name, "a")
    assert (model, after != before) == ("a", True)
    assert world.describe(name)["EndpointStatus"] == "InService"


def test_a_model_that_takes_too_long_to_load_is_not_ready(world, several, make_endpoint, wait_until, gate):
    name, prefix = several
    make_endpoint.put(prefix, "slow", **{"gate.txt": str(gate)})
    with pytest.raises(world.runtime.exceptions.ModelNotReadyException) as caught:
        _ask(world, name, "slow")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    gate.touch()
    assert _ask(world, name, "slow")[0] == "slow"


def test_a_model_that_cannot_be_loaded_is_the_models_error(world, several, make_archive):
    name, prefix = several
    body = make_archive((MODELS / "cannot_load.py").read_text())
    world.s3.put_object(Bucket=world.BUCKET, Key=f"{prefix}/broken.tar.gz", Body=body)
    with pytest.raises(world.runtime.exceptions.ModelError) as caught:
        _ask(world, name, "broken")
    assert caught.value.response["OriginalStatusCode"] == 500


def test_without_the_cache_a_model_goes_after_its_answer(world, make_endpoint, no_longer_running, wait_until):
    name, _ = make_endpoint("a", MultiModelConfig={"ModelCacheSetting": "Disabled"})
    pid = _ask(world, name, "a")[1]
    wait_until(lambda: no_longer_running([pid]), "a is unloaded")
    assert _ask(world, name, "a")[0] == "a"


def test_the_target_model_must_fit_the_endpoint(world, several, refusal):
    code, message = refusal(world.invoke, several[0])
    assert (code, "is missing a target model header" in message) == ("ValidationError", True)
    single = world.endpoint()
    assert refusal(world.invoke, single, TargetModel="a.tar.gz") == (
        "ValidationError",
        f"Endpoint {single} is not a multi-model endpoint and does not support target model header.",
    )


def test_what_create_model_refuses(world, refusal):
    container = {"Image": "image:1", "Mode": "MultiModel"}
    for members, word in (({}, "prefix"), ({"ModelDataUrl": f"s3://{world.BUCKET}/none/"}, "Could not find")):
        code, message = refusal(
            world.sagemaker.create_model,
            ModelName=world.name(),
            ExecutionRoleArn=world.role,
            PrimaryContainer=container | members,
        )
        assert (code, word in message) == ("ValidationException", True)
