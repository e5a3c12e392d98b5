"""What the core would send, against the service's own API model in botocore."""

from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel, StringShape
from botocore.validate import ParamValidator

from endpoint_deploy.core import requests, rollback, tags
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.spec import DeploymentSpec
from tests.core.builders import candidate, final_config, live, serverless, spec, staged, variant

FULL = {
    "kms_key_id": "alias/models",
    "data_capture": {"destination": "s3://models/capture", "kms_key_id": "alias/capture"},
}
SPECS = [
    spec(),
    spec(variant("big", count=2, volume_gb=30, startup_timeout_seconds=90), variant("small"), endpoint=FULL),
    spec(serverless(), strategy="direct"),
]


@pytest.fixture(scope="module")
def service() -> ServiceModel:
    return botocore.session.get_session().get_service_model("sagemaker")


def _takes(service: ServiceModel, operation: str, body: dict[str, Any]) -> None:
    shape = service.operation_model(operation).input_shape
    assert shape
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("its_spec", SPECS)
def test_every_body_is_one_that_the_service_knows(service: ServiceModel, its_spec: DeploymentSpec) -> None:
    for model in requests.model_bodies(its_spec, candidate()).values():
        _takes(service, "CreateModel", model)
    _, plan = staged(its_spec)
    for config in (plan.config, plan.joint):
        if config:
            _takes(service, "CreateEndpointConfig", {**config.body, "Tags": tags.as_list(config.tags)})


def test_what_is_not_retained_is_a_property_that_the_service_knows(service: ServiceModel) -> None:
    direct = spec(strategy="direct")
    champion = final_config(direct, candidate("a"))
    capturing = spec(strategy="direct", endpoint=FULL)
    plan = make_plan(capturing, candidate("b"), live(champion, counts={"primary": 6}))
    first, first_plan = staged(spec())
    back = rollback.next_step(first_plan, live(final_config(spec(), candidate("b"))).endpoint)
    assert isinstance(back, rollback.Update)
    assert back.config == first.name
    assert plan.change
    assert first_plan.retire
    sent = {*(plan.change.retain or ()), *(first_plan.retire.retain or ()), *(back.retain or ())}
    assert sent == {"DesiredWeight", "DataCaptureConfig"}
    known = service.shape_for("VariantPropertyType")
    assert isinstance(known, StringShape)
    assert sent <= set(known.enum)


def test_a_deployments_tags_survive_the_services_form() -> None:
    its_tags = requests.base_tags(spec(tags={"team": "growth"}))
    assert tags.as_dict(tags.as_list(its_tags)) == its_tags
    assert tags.ours(its_tags, "churn-prod")
    assert not tags.ours(its_tags, "churn-test")
    assert not tags.ours({}, "churn-prod")
