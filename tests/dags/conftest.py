"""DAGs of kinds that a deployment has only with the section for them."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from airflow.sdk import DAG

from tests.dag_bag import DagBag
from tests.dags.test_shape import SPEC

_DAGS = Path(__file__).parents[2] / "dags"
# What gives a deployment every kind of DAG, with every task there is.
_EVERYTHING = """\
approval: {}
sentinel: {}
retention: {releases: 3}
registry: {group: churn}
batch_transform:
  input: s3://ml-platform/to-predict
  output: s3://ml-platform/predicted
  instance_type: ml.m5.large
retrain:
  data: {source: s3://ml-platform/rows, target: churned, suite: rows.json}
  training: {code: code, instance_type: ml.m5.large}
  evaluation:
    data: s3://ml-platform/held-out
    script: evaluate.py
    instance_type: ml.m5.large
    metrics: [{name: f1}]
release:
  strategy: shadow
  observe_seconds: 600
  guard: {error_rate: 0.05}
"""


@pytest.fixture
def build_dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], dict[str, DAG]]:
    """Build the DAGs of a kind for a deployment with more sections."""
    monkeypatch.setenv("ENDPOINT_DEPLOY_SPECS", str(tmp_path))

    def dags(kind: str, sections: str) -> dict[str, DAG]:
        (tmp_path / "churn.yaml").write_text(SPEC + sections)
        bag = DagBag(dag_folder=str(_DAGS / f"{kind}.py"))
        assert bag.import_errors == {}
        found: dict[str, DAG] = bag.dags
        return found

    return dags


@pytest.fixture
def every_dag(build_dags: Callable[[str, str], dict[str, DAG]]) -> Iterable[DAG]:
    """A DAG of every kind, with every task that a spec can ask for."""
    kinds = sorted(path.stem for path in _DAGS.glob("*.py") if path.stem != "spec_errors")
    return [dag for kind in kinds for dag in build_dags(kind, _EVERYTHING).values()]
