"""One endpoint for the package: a champion, and beside it candidates of every sort, at weight 0."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from endpoint_deploy.analysis.look import Look, Sides, Stage, Subject
from endpoint_deploy.analysis.take_look import take_look
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.load import Deployment, load_spec
from tests.deploy.rig import BUCKET, CODE, REGION, ROLE, archive, ensure_bucket

_IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
# What each variant serves: the code, and what it adds to the numbers that it is sent.
VARIANTS = {"champion": ("good", 1), "same": ("good", 1), "raises": ("raises", 1), "wrong": ("wrong", 1)}
_SLEEPS = CODE["good"].replace("return [n", "__import__('time').sleep(0.05); return [n")


@pytest.fixture(scope="package")
def endpoint(local_sagemaker: Any) -> Iterator[str]:
    """The endpoint's name; every variant is in service."""
    s3, sagemaker = local_sagemaker.client("s3"), local_sagemaker.client("sagemaker")
    ensure_bucket(s3)
    name = f"analysed-{uuid.uuid4().hex[:8]}"
    code = {variant: (CODE[kind], bias) for variant, (kind, bias) in VARIANTS.items()}
    code["slow"] = (_SLEEPS, 1)
    for variant, (source, bias) in code.items():
        content = archive(
            {"model.json": json.dumps({"bias": bias}).encode(), "code/inference.py": source.encode()}
        )
        key = f"{name}/{variant}/model.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        sagemaker.create_model(
            ModelName=f"{name}-{variant}",
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": _IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}"},
        )
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": variant,
                "ModelName": f"{name}-{variant}",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": float(variant == "champion"),
            }
            for variant in code
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    deadline = time.monotonic() + 240
    while (seen := sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
        assert time.monotonic() < deadline, "the endpoint is not in service"
        time.sleep(0.2)
    assert seen["EndpointStatus"] == "InService", seen.get("FailureReason")
    yield name
    sagemaker.delete_endpoint(EndpointName=name)


class Release:
    """A release under analysis: its spec, its sides, and the looks taken at it."""

    def __init__(
        self, endpoint: str, folder: Path, analysis: dict[str, Any], capture: str | None = None
    ) -> None:
        self.folder = folder
        for number in range(5):
            (folder / f"numbers-{number}.json").write_text(json.dumps([number + 0.5, number * 2.5]))
        (folder / "lines.jsonl").write_text("".join(f"[{number}.25]\n" for number in range(60)))
        (folder / "suite.json").write_text(
            json.dumps(
                {
                    "name": "predictions",
                    "expectations": [
                        {
                            "type": "expect_column_values_to_be_between",
                            "kwargs": {"column": "prediction", "min_value": 0, "max_value": 1000},
                        }
                    ],
                }
            )
        )
        body = {
            "name": "analysed",
            "environment": "test",
            "aws": {"region": REGION, "role_arn": ROLE, "store": f"s3://{BUCKET}/{uuid.uuid4().hex}"},
            "model": {
                "artifact": f"s3://{BUCKET}/{endpoint}/champion/model.tar.gz",
                "image": {"framework": "sklearn", "version": "1.2-1"},
            },
            "endpoint": {
                "name": endpoint,
                "variants": [{"instance_type": "ml.m5.large"}],
                **({"data_capture": {"destination": capture}} if capture else {}),
            },
            "smoke_tests": [{"name": f"n{each}", "payload": f"numbers-{each}.json"} for each in range(5)],
            "analysis": analysis,
        }
        text = yaml.safe_dump(body, sort_keys=False)
        self.deployment = Deployment(load_spec(text, source="spec.yaml"), folder / "spec.yaml")
        self.hook = EndpointHook(aws_conn_id="aws_default", region_name=REGION)
        self.since = datetime.now(UTC)
        self.stage = "step-25"

    def subject(self, candidate: str, run_key: str = "run") -> Subject:
        sides = Sides(candidate={candidate: 1.0}, champion={"champion": 1.0})
        return Subject(hook=self.hook, deployment=self.deployment, sides=sides, run_key=run_key)

    def look(self, candidate: str, previous: Look | None = None, **more: Any) -> Look:
        return take_look(self.subject(candidate, **more), Stage(name=self.stage, since=self.since), previous)

    def looks(self, candidate: str, most: int = 8) -> list[Look]:
        """Look until the way is another one than to look again."""
        taken: list[Look] = []
        while not taken or taken[-1].on.way == "look_again":
            assert len(taken) < most, taken[-1].on.reason
            taken.append(self.look(candidate, taken[-1] if taken else None))
        return taken

    def stored(self) -> dict[str, Any]:
        """Every object below the store's `analysis/`, by the end of its key."""
        bucket, _, prefix = self.deployment.spec.aws.store.removeprefix("s3://").partition("/")
        found = self.hook.s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/analysis/").get("Contents", [])
        return {
            item["Key"].rpartition("/")[2]: json.loads(
                self.hook.s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            )
            for item in found
        }


@pytest.fixture
def release(endpoint: str, tmp_path: Path) -> Callable[..., Release]:
    """Make a release with such a section `analysis`."""
    return lambda analysis, capture=None: Release(endpoint, tmp_path, analysis, capture)
