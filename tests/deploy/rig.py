"""A deployment of a tiny model, released by the real DAGs against the local SageMaker."""

import gzip
import io
import json
import tarfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

# The tasks run in this process, with all that Airflow and Great Expectations warn of among themselves.
AS_IN_PRODUCTION = pytest.mark.filterwarnings("default", "error:::endpoint_deploy")

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/sagemaker-execution"
BUCKET = "deploy-tests"

# Each adds `bias` to what it is sent; `bias` is what tells one release from another.
_GOOD = """
import json, os
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)["bias"]
def input_fn(body, content_type): return json.loads(body)
def predict_fn(numbers, bias): return [n + bias for n in numbers]
def output_fn(prediction, accept): return json.dumps(prediction), accept
"""
CODE = {
    "good": _GOOD,
    "raises": _GOOD.replace("return [n + bias for n in numbers]", "raise ValueError('no such feature')"),
    "tells": _GOOD.replace(
        "return [n + bias for n in numbers]",
        "raise ValueError('the token is ' + os.environ['API_TOKEN'])",
    ),
    "wrong": _GOOD.replace("n + bias", "-1000.0"),
    "slow": _GOOD.replace("return [n", "__import__('time').sleep(0.5); return [n"),
    "not-json": _GOOD.replace("json.dumps(prediction), accept", "'<html>', 'text/html'"),
    "cannot-start": "def model_fn(model_dir): raise RuntimeError('weights are missing')",
}
_RESULT = {"teardown": "teardown", "sentinel": "housekeeping"}  # the task whose XCom is the run's result
_SUITE = {
    "name": "tiny-predictions",
    "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "prediction"}},
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "prediction", "min_value": 0, "max_value": 1000},
        },
    ],
}


def archive(members: dict[str, bytes]) -> bytes:
    """A model.tar.gz of the given files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def ensure_bucket(s3: Any) -> None:
    """The bucket that all rigs share."""
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


@dataclass(repr=False)
class Run:
    """How a DAG run ended. errors: what those of its tasks that failed have left, by task id."""

    state: str
    tasks: dict[str, str | None]
    result: dict[str, Any]
    plan: dict[str, Any] | None = None
    run_id: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str | None:
        return self.result.get("outcome")

    def __repr__(self) -> str:
        """Short enough for pytest to show the whole of it where an assertion fails."""
        failed = [task for task, state in self.tasks.items() if state == "failed"]
        reason = str(self.result.get("reason"))
        return f"<{self.state}, {self.outcome}; failed: {' '.join(failed)}; {reason[:160]}>"


@dataclass
class Rig:
    """One deployment of its own for a test: its spec, its artifacts, its endpoint."""

    specs: Path
    clients: Any
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")
    environment: str = "test"
    retries: int = 2

    @property
    def key(self) -> str:
        """What stands in the ids of the deployment's DAGs."""
        return f"{self.name}__{self.environment}"

    @property
    def endpoint(self) -> str:
        return f"{self.name}-{self.environment}"

    @property
    def file(self) -> Path:
        """The deployment's YAML."""
        return self.specs / (f"{self.name}.yaml" if self.environment == "test" else f"{self.key}.yaml")

    @property
    def store(self) -> str:
        """The prefix of the deployment's store in the tests' bucket."""
        return f"store-{self.name}" if self.environment == "test" else f"store-{self.key}"

    @property
    def sagemaker(self) -> Any:
        return self.clients("sagemaker")

    def artifact(self, kind: str = "good", bias: int = 1, **more: bytes) -> str:
        """Upload a model and return its address."""
        members = {
            "model.json": json.dumps({"bias": bias}).encode(),
            "code/inference.py": CODE[kind].encode(),
            **more,
        }
        return self.upload(archive(members), f"{kind}-{bias}")

    def upload(self, content: bytes, label: str) -> str:
        key = f"{self.name}/{label}/model.tar.gz"
        self.clients("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"s3://{BUCKET}/{key}"

    def spec(self, **changes: Any) -> None:
        """Write the deployment's YAML; changes are merged over the defaults, a section at a time."""
        body: dict[str, Any] = {
            "name": self.name,
            "environment": self.environment,
            "aws": {"region": REGION, "role_arn": ROLE, "store": f"s3://{BUCKET}/{self.store}"},
            "model": {
                "artifact": f"s3://{BUCKET}/{self.name}/good-1/model.tar.gz",
                "image": {"framework": "sklearn", "version": "1.2-1"},
            },
            "endpoint": {
                "variants": [{"instance_type": "ml.m5.large"}],
                "wait": {"poll_seconds": 0.2, "timeout_seconds": 120},
            },
            "smoke_tests": [
                {"name": "numbers", "payload": "numbers.json", "expectations": "suite.json"},
            ],
            "run": {"retries": self.retries, "retry_delay_seconds": 0},
        }
        for section, change in changes.items():
            merged = isinstance(change, dict) and isinstance(body.get(section), dict)
            body[section] = {**body[section], **change} if merged else change
        (self.specs / "numbers.json").write_text("[1.0, 2.0, 3.0]")
        (self.specs / "suite.json").write_text(json.dumps(_SUITE))
        self.file.write_text(yaml.safe_dump(body, sort_keys=False))

    def run(self, kind: str = "deploy", **conf: Any) -> Run:
        """Run one of the deployment's DAGs to its end in this process, by Airflow's own `dag.test()`."""
        from airflow.models.xcom import XComModel

        from tests.dag_bag import DagBag

        dags = Path(__file__).parents[2] / "dags"
        bag = DagBag(dag_folder=str(dags / f"{kind}.py"))
        assert not bag.import_errors, bag.import_errors
        dag = bag.dags[f"{kind}__{self.key}"]
        ended = dag.test(run_conf=conf)

        def xcom(task: str, key: str = "return_value") -> Any:
            found = XComModel.get_many(run_id=ended.run_id, key=key, task_ids=task, dag_ids=dag.dag_id)
            from airflow.utils.session import create_session

            with create_session() as session:
                row = session.scalars(found).first()
                return XComModel.deserialize_value(row) if row else None

        tasks = {ti.task_id: ti.state for ti in ended.get_task_instances()}
        left = {task: xcom(task, "failure") for task, state in tasks.items() if state == "failed"}
        return Run(
            state=str(ended.state.value if hasattr(ended.state, "value") else ended.state),
            tasks=tasks,
            result=xcom(_RESULT.get(kind, "outcome")) or {},
            plan=xcom("plan") if kind in {"deploy", "rollback"} else None,
            run_id=ended.run_id,
            errors={task: error["message"] for task, error in left.items() if error},
        )

    def deploy(self, kind: str = "good", bias: int = 1, **conf: Any) -> Run:
        """Upload a model and release it."""
        return self.run("deploy", artifact=self.artifact(kind, bias), **conf)

    def predict(self, variant: str | None = None) -> list[float]:
        """What the endpoint answers to [1, 2, 3]."""
        answer = self.clients("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint,
            ContentType="application/json",
            Accept="application/json",
            Body=b"[1.0, 2.0, 3.0]",
            **({"TargetVariant": variant} if variant else {}),
        )
        return json.loads(answer["Body"].read())

    def describe(self) -> dict[str, Any]:
        return self.sagemaker.describe_endpoint(EndpointName=self.endpoint)

    def endpoints(self) -> list[str]:
        """The deployment's endpoint, where there is one."""
        found = self.sagemaker.list_endpoints(NameContains=self.endpoint, MaxResults=100)
        return [each["EndpointName"] for each in found["Endpoints"]]

    def made(self) -> tuple[set[str], set[str]]:
        """Names of the endpoint's configurations and models that exist."""
        configs = self.sagemaker.list_endpoint_configs(NameContains=self.endpoint, MaxResults=100)
        models = self.sagemaker.list_models(NameContains=self.endpoint, MaxResults=100)
        return (
            {c["EndpointConfigName"] for c in configs["EndpointConfigs"]},
            {m["ModelName"] for m in models["Models"]},
        )

    def locks(self) -> list[str]:
        """Keys of the locks that are held in this rig's store."""
        found = self.clients("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{self.store}/locks/")
        return [item["Key"] for item in found.get("Contents", [])]

    def ledger(self) -> list[dict[str, Any]]:
        """The endpoint's records, the oldest first."""
        s3 = self.clients("s3")
        prefix = f"{self.store}/ledger/{self.endpoint}/"
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [json.loads(s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read()) for o in found]
