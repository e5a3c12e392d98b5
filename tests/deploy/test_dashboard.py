"""The Grafana dashboard and the documentation name the metrics that are emitted, and no others."""

import json
import re
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from endpoint_deploy.core.batch import BatchRecord
from endpoint_deploy.core.fields import Outcome
from endpoint_deploy.core.retrain import RetrainRecord
from endpoint_deploy.judge.verdicts import Verdict
from endpoint_deploy.measures import count_batch, count_drift, count_release, count_retrain
from tests.aws.test_latest import release
from tests.deploy.test_measures import StatsD, statsd

__all__ = ["statsd"]

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "include" / "grafana" / "endpoint-deploy.json").read_text())
_PATIENCE = 30.0
_NAME = re.compile(r"\bairflow_endpoint_deploy_\w+(?:\.\+)?")
_DOCUMENTED = re.compile(r"^\| `endpoint_deploy\.(?P<name>[^`]+)`(?P<more>[^|]*)\|", re.MULTILINE)


def outcomes(record: Any) -> tuple[str, ...]:
    return get_args(record.model_fields["outcome"].annotation)


@pytest.fixture
def emitted(statsd: StatsD) -> set[str]:
    """Names of all that is emitted, of every outcome there is."""
    said = [{"verdict": str(each), "by": "analysis"} for each in Verdict]
    evidence = {"watch": {"stages": [{"said": said}]}}
    for outcome in get_args(Outcome):
        count_release(release("churn", 1, outcome=outcome, phases={"smoke_test": 1.5}, evidence=evidence))
    common = release("churn", 1, phases={"train": 2.0})
    for count, kind in ((count_retrain, RetrainRecord), (count_batch, BatchRecord)):
        for outcome in outcomes(kind):
            # What is counted needs no more of a record than every record has.
            fields = {name: getattr(common, name) for name in kind.model_fields if hasattr(common, name)}
            count(kind.model_construct(**{**fields, "outcome": outcome}))  # type: ignore[operator]
    count_drift("churn__prod", 2)
    deadline = time.monotonic() + _PATIENCE
    while "drift.churn__prod" not in statsd.received() and time.monotonic() < deadline:  # the last of them
        time.sleep(0.05)
    return set(statsd.received())


def test_the_dashboard_asks_for_what_is_emitted(emitted: set[str]) -> None:
    in_prometheus = {"airflow_endpoint_deploy_" + re.sub(r"\W", "_", name) for name in emitted}
    targets = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for expression in targets:
        named = _NAME.findall(expression)
        assert named, expression
        for name in named:
            assert any(re.fullmatch(name, each) for each in in_prometheus), (name, sorted(in_prometheus))
    for outcome in get_args(Outcome):
        assert any(f"release_{outcome}[" in each for each in targets), outcome


def test_what_is_emitted_is_documented(emitted: set[str]) -> None:
    documented = []
    for found in _DOCUMENTED.finditer((ROOT / "docs" / "operations.md").read_text()):
        names = [found["name"], *re.findall(r"`….([a-z]+)`", found["more"])]
        head = found["name"].partition(".")[0]
        documented += [names[0], *(f"{head}.{each}" for each in names[1:])]
    patterns = [re.sub(r"<\w+>", r"[\\w\\-]+", name.replace(".", r"\.")) for name in documented]
    for name in emitted:
        assert any(re.fullmatch(pattern, name) for pattern in patterns), (name, patterns)
    for pattern in patterns:
        assert any(re.fullmatch(pattern, name) for name in emitted), (pattern, sorted(emitted))
