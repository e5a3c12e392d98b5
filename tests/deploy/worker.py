"""A deployment that is run with no more rights than the policies of include/iam give."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.batch.rig import BatchRig
from tests.deploy.rig import BUCKET, REGION
from tests.local_sagemaker.server_process import Server

POLICIES = Path(__file__).parents[2] / "include" / "iam"
ACCOUNT = "123456789012"
EXECUTION_ROLE = "models"


def document(name: str, **placeholders: str) -> dict[str, Any]:
    """A policy as a team would fill it in."""
    text = (POLICIES / name).read_text()
    for placeholder, value in {"ACCOUNT_ID": ACCOUNT, "REGION": REGION, **placeholders}.items():
        text = text.replace(placeholder, value)
    return json.loads(text)


class Worker:
    """The deployment of one test, run by a user with the worker's policy."""

    def __init__(self, rig: BatchRig, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
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
            "PACKAGE_GROUP": rig.name,
            "BATCH_INPUT_BUCKET": BUCKET,
            "BATCH_INPUT_PREFIX": f"{rig.name}/all/in",
            "BATCH_OUTPUT_BUCKET": BUCKET,
            "BATCH_OUTPUT_PREFIX": f"{rig.name}/all/out",
            "DATA_BUCKET": BUCKET,
            "DATA_PREFIX": f"{rig.name}/data",
        }
        trust = document("execution-role-trust.json")
        role = self._iam.create_role(RoleName=self._role, AssumeRolePolicyDocument=json.dumps(trust))
        for name in ("execution-role-policy.json", "execution-role-jobs-policy.json"):
            self._iam.put_role_policy(
                RoleName=self._role,
                PolicyName=name.removesuffix(".json"),
                PolicyDocument=json.dumps(document(name, **self._names)),
            )
        self._role_arn = role["Role"]["Arn"]
        self.spec()
        self._iam.create_user(UserName=self._user)
        self.grant("worker-policy.json")
        key = self._iam.create_access_key(UserName=self._user)["AccessKey"]
        connection = {
            "conn_type": "aws",
            "login": key["AccessKeyId"],
            "password": key["SecretAccessKey"],
            "extra": {"endpoint_url": server.url, "region_name": REGION},
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))

    def spec(self, **changes: Any) -> None:
        """Write the deployment's spec, with the role of its own."""
        self.rig.spec(
            aws={"role_arn": self._role_arn},
            smoke_tests=[{"name": "numbers", "payload": "numbers.json"}],
            run={"retries": 0},
            **changes,
        )

    def grant(self, name: str, *, without: str | None = None) -> None:
        """Give the worker a policy, less one statement."""
        policy = document(name, **self._names)
        kept = [statement for statement in policy["Statement"] if statement["Sid"] != without]
        assert len(kept) == len(policy["Statement"]) - (without is not None)
        self._iam.put_user_policy(
            UserName=self._user,
            PolicyName=name.removesuffix(".json"),
            PolicyDocument=json.dumps({**policy, "Statement": kept}),
        )

    def only(self, name: str) -> None:
        """Give the worker a policy in the place of all that it has."""
        for other in self._iam.list_user_policies(UserName=self._user)["PolicyNames"]:
            self._iam.delete_user_policy(UserName=self._user, PolicyName=other)
        self.grant(name)
