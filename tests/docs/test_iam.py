"""The policies in include/iam: what the worker may do is what the code calls, no more and no less."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from endpoint_deploy.aws.jobs import OPERATIONS
from endpoint_deploy.core import tags
from tests.docs.blocks import REPO

SOURCE = REPO / "plugins" / "endpoint_deploy"
POLICIES = REPO / "include" / "iam"
# What the worker may get, by what its deployments use; the execution role's are not calls of ours.
PAGES = "ui-policy.json"  # the API server's, a part of the worker's
WORKER = sorted(
    path.name for path in POLICIES.glob("*-policy.json") if "role" not in path.name and path.name != PAGES
)
EXECUTION_ROLE = sorted(path.name for path in POLICIES.glob("execution-role-*policy.json"))

# The names that stand for a client in the source, with the service where the name alone tells it.
_CLIENTS = {
    "sagemaker": "sagemaker",
    "runtime": "sagemaker-runtime",
    "s3": "s3",
    "cloudwatch": "cloudwatch",
    "_autoscaling": "application-autoscaling",
    "_cloudwatch": "cloudwatch",
    "client": None,
    "_client": None,
    "reader": "s3",
}
_PATTERNS = {"search"}  # an operation of SageMaker's, and what one does with a regular expression

# Where an operation's right has another name than the operation: IAM's service authorization reference.
_RIGHTS = {
    "s3:HeadObject": {"s3:GetObject"},
    "s3:HeadBucket": {"s3:ListBucket"},
    "s3:DeleteObjects": {"s3:DeleteObject"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    # boto3's managed copy, in one call or in parts.
    "s3:copy": {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"},
    "sagemaker:CreateModel": {"sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"},
    "sagemaker:CreateEndpointConfig": {"sagemaker:CreateEndpointConfig", "sagemaker:AddTags"},
    # With tags in the request.
    "cloudwatch:PutMetricAlarm": {"cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"},
    "sagemaker:CreateEndpoint": {"sagemaker:CreateEndpoint", "sagemaker:AddTags"},
    # The role of a transform job is its model's, which was passed with the model.
    "sagemaker:CreateTransformJob": {"sagemaker:CreateTransformJob", "sagemaker:AddTags"},
    **{
        f"sagemaker:Create{kind}": {f"sagemaker:Create{kind}", "sagemaker:AddTags", "iam:PassRole"}
        for kind in ("TrainingJob", "HyperParameterTuningJob", "ProcessingJob")
    },
    # What the service does in the caller's name: the hosting guide, Auto scaling prerequisites.
    "application-autoscaling:RegisterScalableTarget": {
        "application-autoscaling:RegisterScalableTarget",
        "iam:CreateServiceLinkedRole",
    },
    "sagemaker:CreateModelPackageGroup": {"sagemaker:CreateModelPackageGroup", "sagemaker:AddTags"},
}


def _operations(services: set[str]) -> dict[str, dict[str, str]]:
    """By the client's method: service to operation."""
    found: dict[str, dict[str, str]] = {}
    for service in services:
        for operation in get_session().get_service_model(service).operation_names:
            found.setdefault(xform_name(operation), {})[service] = operation
    return found


def _nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            yield path, node


def _services() -> set[str]:
    """Every service that the hook makes a client of."""
    return {
        str(node.args[0].value)
        for _, node in _nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sibling"
        and isinstance(node.args[0], ast.Constant)
    }


def _called() -> set[str]:
    """`service:Operation` of every call to AWS in the source."""
    services = _services()
    operations = _operations(services)
    called: set[str] = set()
    for path, node in _nodes():
        method, receiver = _method(node)
        if method == "copy" and receiver in _CLIENTS:
            called.add("s3:copy")
        if method not in operations or method in _PATTERNS:
            continue
        where = f"{path.relative_to(REPO)}: {receiver}.{method}"
        assert receiver in _CLIENTS or receiver in services, f"{where}: which client is this?"
        service = _CLIENTS.get(receiver, receiver)
        fitting = [service] if service else sorted(operations[method])
        assert len(fitting) == 1, f"{where}: could be any of {fitting}"
        called.add(f"{fitting[0].removesuffix('-runtime')}:{operations[method][fitting[0]]}")
    for method in _of_jobs():
        called.add(f"sagemaker:{operations[method]['sagemaker']}")
    return called


def _of_jobs() -> set[str]:
    """The methods that aws/jobs.py makes up from a verb and a kind of job: no other module does that."""
    made_up = {
        path.relative_to(SOURCE).as_posix()
        for path, node in _nodes()
        if isinstance(node, ast.Call)
        and _name(node.func) == "getattr"
        and _name(node.args[0]) in _CLIENTS
        and not isinstance(node.args[1], ast.Constant)
    }
    assert made_up == {"aws/jobs.py"}
    text = (SOURCE / "aws" / "jobs.py").read_text()
    verbs = re.findall(r'_call\(client, "(\w+)"', text)
    assert verbs
    return {f"{verb}_{noun}" for verb in verbs for noun in OPERATIONS.values()}


def _method(node: ast.AST) -> tuple[str, str]:
    """The method that is named and the client it is a method of; paginators name it in a string."""
    if not isinstance(node, ast.Attribute | ast.Call):
        return "", ""
    if isinstance(node, ast.Attribute):
        return node.attr, _name(node.value)
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"get_paginator", "get_waiter"}:
        named = node.args[0]
        assert isinstance(named, ast.Constant), "a paginator whose operation is not a literal"
        return str(named.value), _name(node.func.value)
    return "", ""


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sibling":
        return str(ast.literal_eval(node.args[0]))
    return ""


def _policy(name: str) -> dict[str, Any]:
    found = json.loads((POLICIES / name).read_text())
    assert isinstance(found, dict)
    return found


def _actions(statement: dict[str, Any]) -> set[str]:
    actions = statement["Action"]
    return {actions} if isinstance(actions, str) else set(actions)


def test_the_worker_may_do_what_the_code_calls_and_nothing_else() -> None:
    called = _called()
    assert {"sagemaker:UpdateEndpoint", "s3:copy", "sns:Publish", "sagemaker:InvokeEndpoint"} <= called
    assert {"sagemaker:StopTransformJob", "sagemaker:DescribeTrainingJob"} <= called
    needed = set().union(*(_RIGHTS.get(call, {call}) for call in called))
    allowed = set().union(*(_actions(each) for name in WORKER for each in _policy(name)["Statement"]))
    assert sorted(needed - allowed) == [], "the code calls it, and no policy allows it"
    assert sorted(allowed - needed) == [], "a policy allows it, and the code does not call it"


def test_each_policy_allows_what_the_others_do_not() -> None:
    actions = {name: {a for each in _policy(name)["Statement"] for a in _actions(each)} for name in WORKER}
    for name, mine in actions.items():
        assert mine - set().union(*(others for other, others in actions.items() if other != name)), name
        assert not any("*" in action for action in mine), name


def test_the_pages_read_a_part_of_what_the_worker_may() -> None:
    mine = {action for each in _policy(PAGES)["Statement"] for action in _actions(each)}
    worker = {action for each in _policy("worker-policy.json")["Statement"] for action in _actions(each)}
    assert mine < worker
    assert all(re.match(r"\w+:(?:Describe|Get|List)", action) for action in mine)


@pytest.mark.parametrize("name", [*WORKER, PAGES])
def test_only_what_takes_no_resource_is_granted_for_all(name: str) -> None:
    for statement in _policy(name)["Statement"]:
        if statement["Resource"] == "*":
            assert _actions(statement) <= {
                "sagemaker:ListModels",
                "sagemaker:ListEndpointConfigs",
                "sagemaker:ListEndpoints",
                "sagemaker:ListModelPackages",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingPolicies",
                "application-autoscaling:DescribeScheduledActions",
            }


@pytest.mark.parametrize("name", WORKER)
def test_creating_stopping_and_deleting_are_tied_to_the_tag_that_the_code_sets(name: str) -> None:
    text = (POLICIES / name).read_text()
    assert set(re.findall(r"aws:(?:Request|Resource)Tag/([\w:-]+)", text)) <= {tags.ENDPOINT}
    for statement in _policy(name)["Statement"]:
        actions = {action for action in _actions(statement) if action.startswith("sagemaker:")}
        if any(action.endswith("ModelPackage") for action in actions):
            # A version in a group takes no tags of its own: the group's name stands in for them.
            assert "/PACKAGE_GROUP" in str(statement["Resource"]), statement["Sid"]
            assert "model-package/*" not in str(statement["Resource"]), statement["Sid"]
        elif any(re.match(r"sagemaker:(Create|Delete|Stop)", action) for action in actions):
            assert "Null" in statement["Condition"], statement["Sid"]


@pytest.mark.parametrize("name", [*WORKER, PAGES, *EXECUTION_ROLE])
def test_iam_takes_the_policy_once_its_placeholders_are_filled_in(name: str, local_sagemaker: Any) -> None:
    text = (POLICIES / name).read_text()
    placeholders = set(re.findall(r"\b[A-Z][A-Z_]{4,}\b", text)) - {"AES256"}
    explained = (POLICIES / "README.md").read_text()
    assert all(f"`{placeholder}`" in explained for placeholder in placeholders)
    values = {"ACCOUNT_ID": "123456789012", "REGION": "eu-west-1"}
    for placeholder in placeholders:
        text = re.sub(rf"\b{placeholder}\b", values.get(placeholder, "some-name"), text)
    iam = local_sagemaker.client("iam")
    policy = iam.create_policy(PolicyName=f"docs-{name.removesuffix('.json')}", PolicyDocument=text)
    iam.delete_policy(PolicyArn=policy["Policy"]["Arn"])


def test_sagemaker_may_assume_the_execution_role(local_sagemaker: Any) -> None:
    trust = (POLICIES / "execution-role-trust.json").read_text().replace("ACCOUNT_ID", "123456789012")
    iam = local_sagemaker.client("iam")
    iam.create_role(RoleName="docs-execution", AssumeRolePolicyDocument=trust)
    iam.delete_role(RoleName="docs-execution")
