import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.spec import DeploymentSpec
from tests.core.builders import IMAGE, candidate, serverless, spec, variant

TWO = (variant("big", weight=0.7), variant("small", weight=0.3))


def _names(its_spec: DeploymentSpec, its_candidate: Candidate) -> tuple[str, tuple[str, ...]]:
    want = requests.desired(its_spec, its_candidate)
    return want.config, want.models


def test_a_model_is_the_artifact_the_image_the_role_and_the_environment() -> None:
    its_spec = spec(model={"environment": {"A": "1"}})
    (body,) = requests.model_bodies(its_spec, candidate()).values()
    assert body.pop("ModelName").startswith("churn-prod-")
    assert body == {
        "PrimaryContainer": {
            "Image": IMAGE,
            "ModelDataUrl": candidate().pinned,
            "Environment": {"A": "1"},
        },
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/sagemaker-execution",
    }


def test_a_container_without_environment_sends_none() -> None:
    (body,) = requests.model_bodies(spec(), candidate()).values()
    assert "Environment" not in body["PrimaryContainer"]


def test_script_mode_tells_the_container_where_its_code_is_and_the_spec_may_say_otherwise() -> None:
    its_spec = spec(model={"script_mode": True, "environment": {"SAGEMAKER_PROGRAM": "serve.py"}})
    (body,) = requests.model_bodies(its_spec, candidate()).values()
    assert body["PrimaryContainer"]["Environment"] == {
        "SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    }


def test_variants_share_one_model_unless_an_environment_tells_them_apart() -> None:
    assert len(requests.model_bodies(spec(*TWO), candidate())) == 1
    own = spec(variant("big", environment={"THREADS": "8"}), variant("small"))
    bodies = requests.model_bodies(own, candidate())
    want = requests.desired(own, candidate())
    assert tuple(bodies) == want.models
    assert [v.model for v in want.variants] == list(want.models)
    assert len(bodies) == 2


def test_a_variants_environment_wins_over_the_models() -> None:
    its_spec = spec(variant(environment={"A": "2"}), model={"environment": {"A": "1", "B": "1"}})
    (body,) = requests.model_bodies(its_spec, candidate()).values()
    assert body["PrimaryContainer"]["Environment"] == {"A": "2", "B": "1"}


def test_the_final_configuration_says_everything_that_the_spec_does() -> None:
    its_spec = spec(
        variant(
            count=3,
            weight=2,
            volume_gb=30,
            download_timeout_seconds=600,
            startup_timeout_seconds=120,
        ),
        strategy="direct",
        endpoint={
            "kms_key_id": "alias/models",
            "data_capture": {"destination": "s3://models/capture", "sampling_percent": 20},
        },
    )
    want = requests.desired(its_spec, candidate())
    assert requests.final_config_body(its_spec, want) == {
        "EndpointConfigName": want.config,
        "ProductionVariants": [
            {
                "VariantName": "primary",
                "ModelName": want.models[0],
                "InitialVariantWeight": 2.0,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 3,
                "VolumeSizeInGB": 30,
                "ModelDataDownloadTimeoutInSeconds": 600,
                "ContainerStartupHealthCheckTimeoutInSeconds": 120,
            }
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 20,
            "DestinationS3Uri": "s3://models/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        },
        "KmsKeyId": "alias/models",
    }


def test_a_serverless_variant_has_no_instances() -> None:
    its_spec = spec(serverless(), strategy="direct")
    want = requests.desired(its_spec, candidate())
    (body,) = requests.final_config_body(its_spec, want)["ProductionVariants"]
    assert body["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert not {"InstanceType", "InitialInstanceCount"} & body.keys()
    assert want.variants[0].count is None


def test_staged_variants_carry_their_release_and_direct_ones_stay_as_declared() -> None:
    staged, direct = (requests.desired(spec(*TWO, strategy=s), candidate()) for s in ("staged", "direct"))
    assert [v.name for v in staged.variants] == [f"{n}-{staged.digest[:8]}" for n in ("big", "small")]
    assert [v.name for v in direct.variants] == ["big", "small"]
    assert staged.config != direct.config


def test_the_joint_configuration_keeps_the_champion_and_adds_the_candidate_without_traffic() -> None:
    its_spec = spec(*TWO)
    want = requests.desired(its_spec, candidate())
    champion: list[dict[str, Any]] = [
        {"VariantName": "old", "ModelName": "m", "InitialInstanceCount": 4, "InitialVariantWeight": 0.5}
    ]
    body = requests.joint_config_body(its_spec, want, champion, {want.variants[0].name: 6})
    assert body["EndpointConfigName"] not in {want.config, *want.models}
    assert body["ProductionVariants"][0] == champion[0]
    added = body["ProductionVariants"][1:]
    assert [v["VariantName"] for v in added] == [v.name for v in want.variants]
    assert [v["InitialInstanceCount"] for v in added] == [6, 1]
    assert [v["InitialVariantWeight"] for v in added] == [0.0, 0.0]


DIFFERENT = [
    spec(),
    spec(strategy="direct"),
    spec(variant(count=2)),
    spec(variant(weight=2)),
    spec(variant(instance_type="ml.c5.large")),
    spec(variant(volume_gb=8)),
    spec(variant("other")),
    spec(*TWO),
    spec(variant(environment={"A": "1"})),
    spec(variant(environment={"A": "2"})),
    spec(model={"script_mode": True}),
    spec(endpoint={"kms_key_id": "alias/models"}),
    spec(endpoint={"data_capture": {"destination": "s3://models/capture"}}),
    spec(endpoint={"name": "another"}),
    spec(environment="test"),
    spec(serverless(), strategy="direct"),
]


def test_no_two_different_requests_share_a_name() -> None:
    cases = [(s, candidate(letter)) for s in DIFFERENT for letter in "ab"]
    cases += [(spec(), candidate().model_copy(update=change)) for change in (
        {"image": "another:1"}, {"pinned": "s3://models/elsewhere/model.tar.gz"}, {"sha256": "c" * 64}
    )]  # fmt: skip
    configs = [requests.desired(s, c).config for s, c in cases]
    assert len(set(configs)) == len(cases)
    by_name: dict[str, Any] = {}
    for its_spec, its_candidate in cases:
        for name, body in requests.model_bodies(its_spec, its_candidate).items():
            content = [its_spec.endpoint_name, its_candidate.sha256, body]
            assert by_name.setdefault(name, content) == content


@pytest.mark.parametrize("changes", [
    {"description": "x"}, {"owner": "me"}, {"tags": {"team": "x"}}, {"schedule": "@daily"}, {"alarms": ["x"]},
])  # fmt: skip
def test_what_the_service_never_sees_does_not_change_a_name(changes: dict[str, Any]) -> None:
    assert _names(spec(**changes), candidate()) == _names(spec(), candidate())


@given(st.permutations(["A", "B", "C", "D"]))
def test_names_do_not_depend_on_the_order_in_which_an_environment_is_written(keys: list[str]) -> None:
    def named(order: list[str]) -> tuple[str, tuple[str, ...]]:
        return _names(spec(model={"environment": {k: k.lower() for k in order}}), candidate())

    assert named(keys) == named(sorted(keys))


def test_a_weight_written_as_a_whole_number_is_the_same_weight() -> None:
    assert _names(spec(variant(weight=1)), candidate()) == _names(spec(variant(weight=1.0)), candidate())


def test_what_a_release_wants_can_travel_without_its_environment() -> None:
    its_spec = spec(
        variant(environment={"OWN": "canary-variant"}), model={"environment": {"TOKEN": "canary-model"}}
    )
    assert "canary-" in json.dumps(requests.model_bodies(its_spec, candidate()))
    want = requests.desired(its_spec, candidate())
    travels = want.model_dump_json() + json.dumps(requests.final_config_body(its_spec, want))
    assert "canary-" not in travels
