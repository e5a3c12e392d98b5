"""What `plan` skips: by plans of every kind, in the real DAG, with Airflow's task instance played."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import DownstreamTasksSkipped

from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.errors import NotAsPlanned
from endpoint_deploy.operators.idle import hand_on
from tests.core.builders import candidate, final_config, live, spec

Build = Callable[[str, str], dict[str, DAG]]
OLD, NEW = candidate("a"), candidate("b")
FIRST = make_plan(spec(), OLD, Observed())
STAGED = make_plan(spec(), NEW, live(final_config(spec(), OLD)))
NOTHING = make_plan(spec(), OLD, live(final_config(spec(), OLD)))


class PlanTask:
    """Airflow's side of `plan`: which try it is, what the tasks' states are, what it has pushed."""

    def __init__(self, try_number: int = 1, **states: str) -> None:
        self.try_number = try_number
        self.states = states
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, *, key: str, value: Any) -> None:
        """Keep it."""
        self.pushed[key] = value

    def get_task_breadcrumbs(self, _dag_id: str, _run_id: str) -> list[dict[str, Any]]:
        """The states, as Airflow has them."""
        return [{"task_id": task, "state": state} for task, state in self.states.items()]


def handed_on(build_dags: Build, plan: Plan, ti: PlanTask, *, holds: bool = False) -> set[str]:
    """The tasks that are skipped, once it is sure that the others are told the plan."""
    (dag,) = build_dags("deploy", "").values()
    run = SimpleNamespace(dag_id=dag.dag_id, run_id="one")
    task: Any = dag.get_task("plan")
    try:
        said = hand_on(task, {"ti": ti, "dag_run": run}, plan, holds=holds)  # type: ignore[typeddict-item]
    except DownstreamTasksSkipped as skipped:
        assert Plan.model_validate(ti.pushed["return_value"]) == plan
        return set(skipped.tasks)
    assert Plan.model_validate(said) == plan
    return set()


@pytest.mark.parametrize(
    ("plan", "skipped"),
    [
        (FIRST, {"hold", "register_scaling", "shift_traffic", "watch", "retire_champion"}),
        (STAGED, {"hold", "register_scaling", "watch"}),
    ],
    ids=["first", "staged"],
)
def test_what_a_release_has_no_use_for_is_not_started(
    build_dags: Build, plan: Plan, skipped: set[str]
) -> None:
    assert handed_on(build_dags, plan, PlanTask()) == skipped
    assert handed_on(build_dags, plan, PlanTask(), holds=True) == skipped - {"hold"}


def test_where_nothing_is_to_be_done_nothing_is_started_but_what_records_it(build_dags: Build) -> None:
    (dag,) = build_dags("deploy", "").values()
    skipped = handed_on(build_dags, NOTHING, PlanTask())
    started = {"resolve_release", "validate_artifact", "plan", "complete"}
    assert skipped == set(dag.task_ids) - started - {"roll_back", "record_release", "outcome"}


def test_a_try_that_planned_less_and_died_is_not_taken_for_the_release(build_dags: Build) -> None:
    # The first try found the release live, skipped everything and died; by now somebody has changed that.
    died = PlanTask(2, shift_traffic="skipped", watch="skipped")
    with pytest.raises(NotAsPlanned, match=r"shift_traffic: skipped by a try before this one"):
        handed_on(build_dags, STAGED, died)
    # What both have no use for is no loss.
    assert "watch" in handed_on(build_dags, STAGED, PlanTask(2, watch="skipped"))
