"""How DAGs of the provider's own operators are run in this process."""

import json
from pathlib import Path
from typing import Any

import pytest

IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"


def run_dag(
    file: Path, dag_id: str, conf: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], dict[str, Any]]:
    """Run a DAG to its end by `dag.test()`: the state of each task, and what each returned.

    The file lies in a bundle beside the project's.
    """
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    from tests.dag_bag import DagBag

    bundles = [
        {"name": "dags-folder", "classpath": _LOCAL, "kwargs": {}},
        {"name": "stock-provider", "classpath": _LOCAL, "kwargs": {"path": str(file.parent)}},
    ]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
    bag = DagBag(dag_folder=str(file))
    assert not bag.import_errors, bag.import_errors
    run = bag.dags[dag_id].test(run_conf=conf)
    found = XComModel.get_many(run_id=run.run_id, key="return_value", dag_ids=dag_id)
    with create_session() as session:
        returned = {row.task_id: XComModel.deserialize_value(row) for row in session.scalars(found)}
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}, returned
