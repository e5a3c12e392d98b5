"""What people meet in Airflow: import errors, the form's refusals, rights."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from local_stack.airflow_api import AirflowApi, AirflowApiError
from local_stack.stack import Stack
from tests.e2e.live import LiveRig, get, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_an_invalid_spec_is_shown_with_file_and_line_and_hurts_no_other(
    stack: Stack, deployment: Callable[..., LiveRig]
) -> None:
    rig = deployment()
    valid = (stack.specs_dir / f"{rig.name}.yaml").read_text()
    broken = stack.specs_dir / "broken.yaml"
    broken.write_text(valid.replace(f"name: {rig.name}", "name: broken").replace("ml.m5.large", "m5.large"))
    line = 1 + next(n for n, text in enumerate(broken.read_text().splitlines()) if " m5.large" in text)
    written = datetime.now(tz=UTC)
    try:
        until(
            lambda: any(str(broken) in trace for trace in stack.airflow.import_errors().values()),
            "the invalid spec is among the import errors",
        )
        ((file, trace),) = stack.airflow.import_errors().items()
        assert file.endswith("spec_errors.py")
        assert f"{broken}:{line}: endpoint.variants" in trace
        assert "found 'm5.large', expected" in trace
        for kind in ("deploy", "rollback", "teardown"):
            # Each DAG file was read again with the invalid spec there, and still gives the valid one's DAG.
            stack.airflow.parse_file_of(rig.dag_id(kind))
            until(partial(parsed_after, stack, rig.dag_id(kind), written), f"{kind}.py is read again")
            assert get(stack, f"/dags/{rig.dag_id(kind)}")["is_stale"] is False
        assert not any("broken" in dag_id for dag_id in stack.airflow.dag_ids())
        assert rig.run(plan_only=True, artifact=rig.artifact()).outcome == "planned"
    finally:
        broken.unlink()
    until(lambda: not stack.airflow.import_errors(), "the import error is gone with the file")


def parsed_after(stack: Stack, dag_id: str, moment: datetime) -> bool:
    """Whether a DAG was found in its file after this moment."""
    return datetime.fromisoformat(get(stack, f"/dags/{dag_id}")["last_parsed_time"]) > moment


@pytest.mark.parametrize(
    ("kind", "conf", "said"),
    [
        ("deploy", {"artifact": "https://models/model.tar.gz"}, "does not match"),
        ("deploy", {"artifact": "s3://models/model.zip"}, "does not match"),
        ("deploy", {"plan_only": "yes"}, "is not of type 'boolean'"),
        ("deploy", {"image": "two words"}, "does not match"),
        ("deploy", {"reason": "x" * 501}, "is too long"),
        ("rollback", {"release": 0}, "less than the minimum of 1"),
        ("rollback", {"release": "latest"}, "is not of type 'null', 'integer'"),
        ("teardown", {"confirm": None}, "is not of type 'string'"),
        ("teardown", {"confirm": "diabetes-demo"}, "does not match"),
    ],
)
def test_a_wrong_form_value_is_refused_with_the_reason(
    stack: Stack, kind: str, conf: dict[str, Any], said: str
) -> None:
    dag_id = f"{kind}__breast-cancer__demo"
    stack.airflow.wait_for_dag(dag_id)
    with pytest.raises(AirflowApiError) as refused:
        stack.airflow.trigger(dag_id, conf)
    assert "answered 400" in str(refused.value)
    assert said in str(refused.value)
    assert get(stack, f"/dags/{dag_id}/dagRuns")["total_entries"] == 0


@pytest.mark.parametrize("kind", ["deploy", "rollback", "teardown"])
def test_a_viewer_may_look_and_not_trigger(stack: Stack, kind: str) -> None:
    dag_id = f"{kind}__breast-cancer__demo"
    stack.airflow.wait_for_dag(dag_id)
    with AirflowApi(stack.api_url, "viewer", stack.secrets.viewer_password) as viewer:
        assert dag_id in viewer.dag_ids()
        with pytest.raises(AirflowApiError, match="answered 403"):
            viewer.trigger(dag_id)
    assert get(stack, f"/dags/{dag_id}/dagRuns")["total_entries"] == 0
