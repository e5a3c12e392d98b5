"""What clearing a task of an ended run does to the endpoint."""

from collections.abc import Callable

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION
from tests.e2e.live import LiveRig
from tests.soak import some_of

pytestmark = [AS_IN_PRODUCTION, pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.mark.parametrize("task", some_of(("apply_endpoint", "shift_traffic"), always=("shift_traffic",)))
def test_a_task_cleared_after_the_release_takes_nothing_back(
    deployment: Callable[..., LiveRig], task: str
) -> None:
    rig = deployment()
    assert rig.run(artifact=rig.artifact(bias=1)).outcome == "released"
    run_id = rig.start(artifact=rig.artifact(bias=2))
    released = rig.end(run_id)
    assert released.outcome == "released", released
    rig.airflow.clear(rig.dag_id(), run_id, task)
    again = rig.end(run_id)
    assert (again.state, again.outcome) == ("success", "released"), again
    assert (again.tasks[task], again.tasks["roll_back"]) == ("skipped", "skipped")
    assert rig.describe()["EndpointConfigName"] == released.result["config_after"]
    assert rig.predict() == [3.0, 4.0, 5.0]
    assert [record["outcome"] for record in rig.ledger()] == ["released", "released"]
