"""Releases under the policies of include/iam, by a SageMaker that enforces them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, REGION, Rig
from tests.local_sagemaker.server_process import Server

pytestmark = AS_IN_PRODUCTION

POLICIES = Path(__file__).parents[2] / "include" / "iam"
ACCOUNT = "123456789012"
EXECUTION_ROLE = "models"


def document(name: str, **placeholders: str) -> dict[str, Any]:
    """A policy as a team would fill it in."""
    text = (POLICIES / name).read_text()
    for placeholder, value in {"ACCOUNT_ID": ACCOUNT, "REGION": REGION, **placeholders}.items():
        text = text.replace(placeholder, value)
    return json.loads(text)


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("enforcing") / "state", "--enforce-iam")
    server.start()
    server.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield server
    server.end()


class Worker:
    """The deployment of one test, run by a user with the worker's policy."""

    def __init__(self, rig: Rig, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rig = rig
        self._iam = server.client("iam")
        self._user = f"worker-{rig.name}"
        self._role = f"{EXECUTION_ROLE}-{rig.name}"
        self._names = {
            "STORE_BUCKET": BUCKET,
            "STORE_PREFIX": f"store-{rig.name}",
            "ARTIFACT_BUCKET": BUCKET,
            "EXECUTION_ROLE": self._role,
            "TOPIC": "none",
            "CAPTURE_BUCKET": BUCKET,
            "CAPTURE_PREFIX": f"captured-{rig.name}",
        }
        trust = document("execution-role-trust.json")
        role = self._iam.create_role(RoleName=self._role, AssumeRolePolicyDocument=json.dumps(trust))
        self._iam.put_role_policy(
            RoleName=self._role,
            PolicyName="execution",
            PolicyDocument=json.dumps(document("execution-role-policy.json", **self._names)),
        )
        rig.spec(
            aws={"role_arn": role["Role"]["Arn"]},
            smoke_tests=[{"name": "numbers", "payload": "numbers.json"}],
            run={"retries": 0},
        )
        self._iam.create_user(UserName=self._user)
        self.grant()
        key = self._iam.create_access_key(UserName=self._user)["AccessKey"]
        connection = {
            "conn_type": "aws",
            "login": key["AccessKeyId"],
            "password": key["SecretAccessKey"],
            "extra": {"endpoint_url": server.url, "region_name": REGION},
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))

    def grant(self, *, without: str | None = None) -> None:
        """Give the worker its policy, less one statement."""
        policy = document("worker-policy.json", **self._names)
        kept = [statement for statement in policy["Statement"] if statement["Sid"] != without]
        assert len(kept) == len(policy["Statement"]) - (without is not None)
        self._iam.put_user_policy(
            UserName=self._user,
            PolicyName="worker",
            PolicyDocument=json.dumps({**policy, "Statement": kept}),
        )


@pytest.fixture
def worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enforcing: Server, airflow_db: str
) -> Iterator[Worker]:
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))
    rig = Rig(specs=tmp_path, clients=enforcing.client)
    yield Worker(rig, enforcing, monkeypatch)
    if rig.endpoint in [e["EndpointName"] for e in rig.sagemaker.list_endpoints()["Endpoints"]]:
        rig.sagemaker.delete_endpoint(EndpointName=rig.endpoint)


def test_the_policies_suffice_for_releases_rollback_and_teardown(worker: Worker) -> None:
    rig = worker.rig
    for bias in (1, 2):
        run = rig.deploy(bias=bias)
        assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [3.0, 4.0, 5.0]
    run = rig.run("rollback", reason="least privilege")
    assert (run.state, run.outcome) == ("success", "released"), run
    assert rig.predict() == [2.0, 3.0, 4.0]
    assert rig.locks() == []
    run = rig.run("teardown", confirm=rig.endpoint)
    assert run.state == "success", run
    assert rig.made() == (set(), set())


def test_a_right_that_is_missing_is_named(worker: Worker) -> None:
    worker.grant(without="HandTheExecutionRoleToSageMaker")
    run = worker.rig.deploy(bias=1)
    assert (run.state, run.outcome) == ("failed", "failed"), run
    assert "is not authorized to perform: iam:PassRole on resource" in run.result["reason"]
    assert worker.rig.made() == (set(), set())
