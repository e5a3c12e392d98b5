"""What must hold once all is healed, asked through the doors that users have."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.chaos.account import Account, Ran
from benchmarks.chaos.clients import ask
from benchmarks.chaos.world import BUCKET, KEEP, STORE, Deployment
from local_stack.airflow_env import aws_connection, aws_environment, clean_environment
from local_stack.stack import Stack

_SUCCEEDED: Final = frozenset({"released", "nothing_to_do", "torn_down"})
_UNRECORDED: Final = frozenset({"nothing_to_do", "planned"})
_BROKEN_MODELS: Final = frozenset({"wrong", "cannot-start"})
_OF_THE_CODE: Final = re.compile(
    r"\b(KeyError|TypeError|AttributeError|IndexError|AssertionError|NameError|UnboundLocalError|"
    r"ValidationError|RecursionError|NotImplementedError)\b"
)
_STATUS_SECONDS: Final = 120
_ASKED_TIMES: Final = 3
Record = dict[str, Any]


@dataclass
class Checks:
    """Looks at the whole world between storms, and tells the account what is as it must not be."""

    stack: Stack
    account: Account
    world: list[Deployment]

    def __post_init__(self) -> None:
        self._sagemaker = self.stack.client("sagemaker")
        self._runtime = self.stack.client("sagemaker-runtime")
        self._s3 = self.stack.client("s3")

    def all(self, runs: list[Ran]) -> None:
        """Every endpoint, its ledger and its runs; nothing may be at work."""
        for deployment in self.world:
            self._safely(deployment, self._check, runs)
        self._status()

    def after_housekeeping(self, deployment: Deployment) -> None:
        """Nothing is there but what retention keeps, and nobody holds the endpoint."""
        self._safely(deployment, self._left_over)

    def _safely(self, deployment: Deployment, check: Any, *more: Any) -> None:
        try:
            check(deployment, *more)
        except (ClientError, BotoCoreError, ValueError, LookupError) as error:
            self._violated("what is healed answers", deployment, f"{type(error).__name__}: {error}")

    def _check(self, deployment: Deployment, runs: list[Ran]) -> None:
        ledger = self.ledger(deployment)
        self._served(deployment, ledger)
        self._truthful(deployment, ledger, [run for run in runs if run.endpoint == deployment.endpoint])

    def ledger(self, deployment: Deployment) -> list[Record]:
        """The endpoint's records, the oldest first."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"{STORE}/ledger/{deployment.endpoint}/"
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return [json.loads(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys]

    def _described(self, deployment: Deployment) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._sagemaker.describe_endpoint(EndpointName=deployment.endpoint)
        except ClientError as error:
            if "Could not find" in str(error):
                return None
            raise
        return found

    def _served(self, deployment: Deployment, ledger: list[Record]) -> None:
        """One complete release serves, the one that the ledger names, or there is no endpoint."""
        rule = "every endpoint serves one complete release"
        good = since_teardown(ledger)
        live = self._described(deployment)
        if live is None:
            if good:
                self._violated(rule, deployment, f"no endpoint; record {good[-1]['sequence']} has released")
            return
        config, status = live["EndpointConfigName"], live["EndpointStatus"]
        said = ledger[-1]["config_after"] if ledger else None
        if config != said:
            self._violated("the ledger tells the truth", deployment, f"{config} is live, expected {said}")
        variants = [
            (v["CurrentWeight"], v["DesiredWeight"], v["CurrentInstanceCount"], v["DesiredInstanceCount"])
            for v in live.get("ProductionVariants", [])
        ]
        if status != "InService" or variants != [(1.0, 1.0, 1, 1)]:
            self._violated(rule, deployment, f"{status} on {config} with {variants}")
        self._whole(config)
        proved = [each for each in good if each["config_after"] == config]
        if not proved:
            self._violated(rule, deployment, f"no record since the last teardown has released {config}")
            return
        expected = deployment.answers[proved[-1]["artifact_sha256"]]
        answers = {ask(self._runtime, deployment.endpoint) for _ in range(_ASKED_TIMES)}
        if answers != {expected}:
            self._violated(rule, deployment, f"answered {answers}, expected {expected}")

    def _whole(self, config: str) -> None:
        """The live configuration and its models are there; raises ClientError where one is not."""
        described = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)
        for variant in described["ProductionVariants"]:
            self._sagemaker.describe_model(ModelName=variant["ModelName"])

    def _truthful(self, deployment: Deployment, ledger: list[Record], runs: list[Ran]) -> None:
        """Each run that released, failed or was taken back has one record, which says the same."""
        rule = "the ledger tells the truth"
        numbers = [each["sequence"] for each in ledger]
        if numbers != list(range(1, len(numbers) + 1)):
            self._violated(rule, deployment, f"its records are numbered {numbers}")
        for run in runs:
            if run.kind == "sentinel":
                continue
            outcomes = [each["outcome"] for each in ledger if each["run"]["run_id"] == run.run_id]
            expected = [] if run.outcome in _UNRECORDED else [run.outcome]
            if run.outcome is not None and outcomes != expected:
                told = f"{run.run_id} says {run.outcome}, its records {outcomes}"
                self._violated(rule, deployment, told)
            if len(outcomes) > 1:
                self._violated(rule, deployment, f"{run.run_id} has {len(outcomes)} records: {outcomes}")
            self._honest(deployment, run, outcomes)

    def _honest(self, deployment: Deployment, run: Ran, outcomes: list[str]) -> None:
        """A run succeeds where its release did, no broken model is released, and no bug is a reason."""
        if (run.state == "success") != (run.outcome in _SUCCEEDED):
            said = f"{run.run_id} of {run.dag_id} ended {run.state}, its outcome {run.outcome}"
            self._violated("a run says how its release ended", deployment, f"{said}, its record {outcomes}")
        if run.model in _BROKEN_MODELS and "released" in (run.outcome, *outcomes):
            self._violated("no broken model is released", deployment, f"{run.run_id}, {run.model}")
        if _OF_THE_CODE.search(run.reason):
            said = f"{run.run_id} of {run.dag_id}: {run.reason}"
            self._violated("a run that fails names what failed", deployment, said)

    def _status(self) -> None:
        """`python -m endpoint_deploy status` sees no drift, nobody at work, and nothing unreachable."""
        rule = "the command line sees the same"
        done = subprocess.run(
            [sys.executable, "-m", "endpoint_deploy", "status", "--json", "--specs", self.stack.specs_dir],
            env={
                **clean_environment(os.environ),
                **aws_environment(self.stack.sagemaker_url),
                "AIRFLOW_HOME": str(self.stack.paths.airflow_home),
                "AIRFLOW_CONN_AWS_DEFAULT": aws_connection(self.stack.sagemaker_url),
            },
            capture_output=True,
            text=True,
            timeout=_STATUS_SECONDS,
            check=False,
        )
        try:
            found = json.loads(done.stdout)["deployments"]
        except (ValueError, KeyError):
            self.account.violated(rule, f"it ended with {done.returncode}: {done.stderr[-500:]}")
            return
        for each in found:
            wrong = {name: each[name] for name in ("drift", "changing_by", "unreachable") if each[name]}
            if wrong:
                self.account.violated(rule, f"{each['deployment']}: {wrong}")

    def _left_over(self, deployment: Deployment) -> None:
        rule = "no orphan is left beyond what retention keeps"
        wanted = kept(self.ledger(deployment))
        configs = self._names("endpoint_configs", "EndpointConfig", deployment)
        if configs != wanted:
            self._violated(rule, deployment, f"configurations {configs}, kept are {wanted}")
        models = set()
        for config in wanted & configs:
            described = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)
            models |= {variant["ModelName"] for variant in described["ProductionVariants"]}
        if (found := self._names("models", "Model", deployment)) != models:
            self._violated(rule, deployment, f"models {found}, used are {models}")
        locks = self._s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{STORE}/locks/{deployment.endpoint}.")
        if held := [item["Key"] for item in locks.get("Contents", [])]:
            self._violated("nobody holds an endpoint that is at rest", deployment, f"{held}")

    def _names(self, listed: str, member: str, deployment: Deployment) -> set[str]:
        list_all = getattr(self._sagemaker, f"list_{listed}")
        answer = list_all(NameContains=deployment.endpoint, MaxResults=100)
        return {each[f"{member}Name"] for each in answer[f"{member}s"]}

    def _violated(self, rule: str, deployment: Deployment, said: str) -> None:
        self.account.violated(rule, f"{deployment.endpoint}: {said}")


def since_teardown(ledger: list[Record]) -> list[Record]:
    """The good releases since the last teardown, the oldest first."""
    good: list[Record] = []
    for record in ledger:
        if record["outcome"] == "torn_down":
            good = []
        elif record["outcome"] == "released":
            good.append(record)
    return good


def kept(ledger: list[Record]) -> set[str]:
    """Configurations that retention keeps: those of the newest good releases, each counted once."""
    newest: list[str] = []
    for record in reversed(since_teardown(ledger)):
        if record["config_after"] not in newest:
            newest.append(record["config_after"])
    return set(newest[:KEEP])
