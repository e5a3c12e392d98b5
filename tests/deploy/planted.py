"""What somebody may do to a released endpoint behind the pipeline's back, each undone again.

Each is of the kind that its name begins with.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

import httpx

from tests.deploy.rig import Rig
from tests.deploy.test_around_a_release import other_config, wait_in_service
from tests.deploy.watched import Watched

Drift = Callable[[Watched], AbstractContextManager[None]]


def _undone(plant: Callable[..., Iterator[None]]) -> Callable[..., AbstractContextManager[None]]:
    """What stands after the `yield` is done whatever happens in between."""

    @wraps(plant)
    @contextmanager
    def planted(*arguments: Any) -> Iterator[None]:
        steps = plant(*arguments)
        next(steps)
        try:
            yield
        finally:
            next(steps, None)

    return planted


def adjust(rig: Rig, **wanted: Any) -> None:
    """Another weight or count of the only variant, by hand."""
    (variant,) = rig.describe()["ProductionVariants"]
    rig.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=rig.endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": variant["VariantName"], **wanted}],
    )
    wait_in_service(rig)


def delete_endpoint(rig: Rig) -> None:
    """As a person would on SageMaker's own page."""
    rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)
    rig.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName=rig.endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _update(rig: Rig, config: str) -> None:
    rig.sagemaker.update_endpoint(EndpointName=rig.endpoint, EndpointConfigName=config)
    wait_in_service(rig)


def _request(described: dict[str, Any], *answers: str) -> dict[str, Any]:
    """What makes a resource again from what describing it has answered."""
    return {key: value for key, value in described.items() if key not in {*answers, "ResponseMetadata"}}


def live_model(rig: Rig) -> dict[str, Any]:
    """DescribeModel of the only one that serves."""
    config = rig.sagemaker.describe_endpoint_config(EndpointConfigName=rig.describe()["EndpointConfigName"])
    (variant,) = config["ProductionVariants"]
    return dict(rig.sagemaker.describe_model(ModelName=variant["ModelName"]))


@_undone
def endpoint_deleted(watched: Watched) -> Iterator[None]:
    delete_endpoint(watched.rig)
    yield
    assert watched.rig.deploy(bias=1).outcome == "released"


@_undone
def status_out_of_service(watched: Watched) -> Iterator[None]:
    _force(watched.rig, "OutOfService")
    yield
    _force(watched.rig, "InService")


def _force(rig: Rig, status: str) -> None:
    """Into a state that no call leads to."""
    url = f"{rig.sagemaker.meta.endpoint_url}/_local/endpoints/{rig.endpoint}/status"
    assert httpx.post(url, json={"status": status}).status_code == httpx.codes.OK


@_undone
def configuration_by_hand(watched: Watched) -> Iterator[None]:
    rig = watched.rig
    released, by_hand = rig.describe()["EndpointConfigName"], other_config(rig)
    _update(rig, by_hand)
    yield
    _update(rig, released)
    rig.sagemaker.delete_endpoint_config(EndpointConfigName=by_hand)


@_undone
def configuration_deleted(watched: Watched) -> Iterator[None]:
    rig = watched.rig
    name = rig.describe()["EndpointConfigName"]
    config = rig.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    its_tags = rig.sagemaker.list_tags(ResourceArn=config["EndpointConfigArn"])["Tags"]
    rig.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    yield
    body = _request(config, "EndpointConfigArn", "CreationTime")
    rig.sagemaker.create_endpoint_config(**body, Tags=its_tags)


@_undone
def weights_changed(watched: Watched) -> Iterator[None]:
    adjust(watched.rig, DesiredWeight=0.5)
    yield
    adjust(watched.rig, DesiredWeight=1.0)


@_undone
def counts_changed(watched: Watched) -> Iterator[None]:
    adjust(watched.rig, DesiredInstanceCount=2)
    yield
    adjust(watched.rig, DesiredInstanceCount=1)


@_undone
def spec_edited(watched: Watched) -> Iterator[None]:
    watched.spec(endpoint={"variants": [{"instance_type": "ml.m5.xlarge"}]})
    yield
    watched.spec()


@_undone
def model_deleted(watched: Watched) -> Iterator[None]:
    rig = watched.rig
    model = live_model(rig)
    its_tags = rig.sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"]
    rig.sagemaker.delete_model(ModelName=model["ModelName"])
    yield
    body = _request(model, "ModelArn", "CreationTime", "DeploymentRecommendation")
    rig.sagemaker.create_model(**body, Tags=its_tags)


@_undone
def _other_archive(watched: Watched, content: bytes | None) -> Iterator[None]:
    """Another archive, or none, where the live model has its own."""
    s3 = watched.rig.clients("s3")
    uri = live_model(watched.rig)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    pinned = s3.get_object(Bucket=bucket, Key=key)
    body, metadata = pinned["Body"].read(), pinned["Metadata"]
    if content is None:
        s3.delete_object(Bucket=bucket, Key=key)
    else:
        s3.put_object(Bucket=bucket, Key=key, Body=content, Metadata=metadata)
    yield
    s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata=metadata)


def artifact_deleted(watched: Watched) -> AbstractContextManager[None]:
    return _other_archive(watched, None)


def artifact_replaced(watched: Watched) -> AbstractContextManager[None]:
    """Its metadata, copied, still tell of the old one."""
    return _other_archive(watched, b"something else")


@_undone
def image_pushed_anew(watched: Watched) -> Iterator[None]:
    watched.push("second")
    yield
    watched.push("first")


@_undone
def image_deleted(watched: Watched) -> Iterator[None]:
    watched.unpush()
    yield
    watched.push("first")


@_undone
def image_deleted_with_its_repository(watched: Watched) -> Iterator[None]:
    watched.delete_repository()
    yield
    watched.make_repository()
    watched.push("first")


@_undone
def role_deleted(watched: Watched) -> Iterator[None]:
    watched.delete_role()
    yield
    watched.make_role()


@_undone
def alarm_rings(watched: Watched) -> Iterator[None]:
    watched.set_alarm("ALARM")
    yield
    watched.set_alarm("OK")


@_undone
def alarm_deleted(watched: Watched) -> Iterator[None]:
    watched.rig.clients("cloudwatch").delete_alarms(AlarmNames=[watched.alarm])
    yield
    watched.set_alarm("OK")


@_undone
def canary_not_as_expected(watched: Watched) -> Iterator[None]:
    suite = watched.rig.specs / "suite.json"
    good = suite.read_text()
    bounds = {"column": "prediction", "min_value": 500, "max_value": 1000}
    wrong = [{"type": "expect_column_values_to_be_between", "kwargs": bounds}]
    suite.write_text(json.dumps({**json.loads(good), "expectations": wrong}))
    yield
    suite.write_text(good)


PLANTED: tuple[Drift, ...] = (
    endpoint_deleted,
    status_out_of_service,
    configuration_by_hand,
    configuration_deleted,
    weights_changed,
    counts_changed,
    spec_edited,
    model_deleted,
    artifact_deleted,
    artifact_replaced,
    image_pushed_anew,
    image_deleted,
    image_deleted_with_its_repository,
    role_deleted,
    alarm_rings,
    alarm_deleted,
    canary_not_as_expected,
)


def kind_of(drift: Drift) -> str:
    """The kind of finding that a drift is to be."""
    return str(drift.__name__).partition("_")[0]
