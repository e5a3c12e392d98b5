"""Models of several containers: inference pipelines, and direct invocation."""

import os
import signal

import pytest


def _containers(world, *steps, named=True):
    return [
        {
            **world.container("step", {"STEP": step}),
            **({"ContainerHostname": f"host-{step}"} if named else {}),
        }
        for step in steps
    ]


def _model(world, containers, **members):
    name = world.name("Pipeline")
    world.sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=world.role, Containers=containers, **members
    )
    return name


@pytest.fixture(scope="module")
def pipeline(shared_world):
    containers = _containers(shared_world, "a", "b", "c", named=False)
    return shared_world.endpoint(shared_world.config(shared_world.variant(_model(shared_world, containers))))


@pytest.fixture(scope="module")
def direct(shared_world):
    model = _model(
        shared_world, _containers(shared_world, "a", "b"), InferenceExecutionConfig={"Mode": "Direct"}
    )
    return shared_world.endpoint(shared_world.config(shared_world.variant(model)))


def test_each_container_gets_what_the_one_before_answered(world, pipeline):
    response = world.invoke(pipeline, "rows")
    assert response["Body"].read().decode() == "rows > a:text/csv > b:application/x-a > c:application/x-b"
    assert response["ContentType"] == "application/x-c"


def test_a_failure_ends_the_pipeline_and_names_its_container(world, pipeline):
    with pytest.raises(world.runtime.exceptions.ModelError) as caught:
        world.invoke(pipeline, "fail a")
    assert caught.value.response["OriginalStatusCode"] == 500
    message = caught.value.response["Error"]["Message"]
    assert message.startswith('Received server error (500) from container-1 with message "a was told to fail')


def test_an_instance_is_a_process_for_each_container_and_is_replaced_as_a_whole(world, server, wait_until):
    model = _model(world, _containers(world, "a", "b"))
    name = world.endpoint(world.config(world.variant(model)))
    variant = world.describe(name)["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], len(variant["DeployedImages"])) == (1, 2)
    before = server.replica_pids(name)
    assert len(before) == 2
    os.kill(before[1], signal.SIGKILL)
    wait_until(
        lambda: len(now := server.replica_pids(name)) == 2 and not set(now) & set(before), "another instance"
    )
    assert world.invoke(name, "x")["Body"].read() == b"x > a:text/csv > b:application/x-a"


def test_a_container_that_does_not_start_is_named(world):
    containers = _containers(world, "a", "b")
    containers[1] |= {"ModelDataUrl": world.container("cannot_load")["ModelDataUrl"]}
    found = world.settled(world.begin(world.config(world.variant(_model(world, containers)))))
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"].startswith("The host-b container for production variant main did not pass")


def test_direct_invocation_calls_the_named_container_alone(world, direct):
    for step in ("a", "b"):
        body = world.invoke(direct, "x", TargetContainerHostname=f"host-{step}")["Body"].read()
        assert body.decode() == f"x > {step}:text/csv"


@pytest.mark.parametrize(
    ("endpoint", "hostname", "word"),
    [
        ("direct", None, "missing a target container hostname"),
        ("direct", "host-z", "host-z"),
        ("pipeline", "host-a", "not configured for direct invocation"),
    ],
)
def test_the_target_container_must_fit_the_endpoint(request, refusal, endpoint, hostname, word):
    world = request.getfixturevalue("world")
    members = {"TargetContainerHostname": hostname} if hostname else {}
    code, message = refusal(world.invoke, request.getfixturevalue(endpoint), "x", **members)
    assert (code, word in message) == ("ValidationError", True)


def test_what_create_model_refuses_of_several_containers(world, refusal):
    def refused(containers, **members):
        code, message = refusal(_model, world, containers, **members)
        assert code == "ValidationException"
        return message

    one, two = _containers(world, "a", "b")
    unnamed = {key: value for key, value in two.items() if key != "ContainerHostname"}
    direct = {"InferenceExecutionConfig": {"Mode": "Direct"}}
    assert "every container or for none" in refused([one, unnamed])
    assert "unique" in refused([one, one])
    assert "both" in refused([one, two], PrimaryContainer=one)
    assert "at least 2" in refused([one], **direct)
    assert "ContainerHostname each" in refused([unnamed, unnamed], **direct)
    assert "length less than or equal to 15" in refused([one] * 16)
    assert "32768 bytes" in refused(
        [container | {"Environment": {f"V{n}": "x" * 1000 for n in range(17)}} for container in (one, two)]
    )


def test_a_serverless_variant_excludes_pipelines(world, refusal):
    variant = {
        "VariantName": "main",
        "ModelName": _model(world, _containers(world, "a", "b")),
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    code, message = refusal(world.config, variant)
    assert (code, "several containers" in message) == ("ValidationException", True)


def test_a_container_can_be_given_by_its_model_package(world):
    group = world.name("Group")
    world.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    container = world.container("step", {"STEP": "packaged"})
    package = world.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    model = _model(world, [{"ModelPackageName": package, "Environment": {"STEP": "mine"}}])
    shown = world.sagemaker.describe_model(ModelName=model)["Containers"][0]
    assert (shown["ModelPackageName"], shown["Image"]) == (package, container["Image"])
    name = world.endpoint(world.config(world.variant(model)))
    assert world.invoke(name, "x")["Body"].read() == b"x > mine:text/csv"
