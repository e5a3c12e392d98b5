"""What DAGs, tasks and forms tell somebody who sees them for the first time, at night."""

import re
from collections.abc import Sequence
from pathlib import Path

from airflow.sdk import DAG

from endpoint_deploy.dag_builders.on_call import ON_CALL

REPOSITORY = Path(__file__).parents[2]
_PARTS = re.compile(r"(.+)\n\n\*\*A failure means:\*\* (.+)\n\n\*\*What to do:\*\* (.+)\n", re.DOTALL)
# A form refuses what is not one of these; numbers and texts would take anything.
_BOUNDS = {
    "string": {"maxLength", "enum", "format"},
    "integer": {"minimum", "maximum"},
    "object": {"maxProperties"},
    "boolean": set(),
}


def test_every_task_says_what_it_does_what_its_failure_means_and_what_to_do(every_dag: Sequence[DAG]) -> None:
    for dag in every_dag:
        for task in dag.tasks:
            said = _PARTS.fullmatch(task.doc_md or "")
            assert said, f"{task}: {task.doc_md}"
            for part in said.groups():
                assert len(part.split()) > 2, (task, part)
                assert part.endswith("."), (task, part)
    assert {task.task_id for dag in every_dag for task in dag.tasks} == set(ON_CALL), "none is left over"


def test_what_the_tasks_docs_name_exists(every_dag: Sequence[DAG]) -> None:
    files = set(re.findall(r"`(include/[^`]+)`", " ".join(ON_CALL.values())))
    assert files
    assert not [file for file in files if not (REPOSITORY / file).is_file()]
    links = {link.name for dag in every_dag for task in dag.tasks for link in task.operator_extra_links}
    form = {param.schema["title"] for dag in every_dag for param in map(dag.params.get_param, dag.params)}
    # Beside those, words for what Airflow and this pipeline show.
    words = {"Required Actions", "Upstream failed", "exists and differs", "nothing new", "Way back"}
    assert set(re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", " ".join(ON_CALL.values()))) <= links | form | words


def test_every_dag_says_of_which_endpoint_it_is(every_dag: Sequence[DAG]) -> None:
    kinds = {dag.dag_id.split("__")[0] for dag in every_dag}
    assert kinds == {path.stem for path in (REPOSITORY / "dags").glob("*.py")} - {"spec_errors"}
    for dag in every_dag:
        assert "**churn-prod**" in (dag.doc_md or ""), dag.dag_id


def test_every_field_of_a_form_says_what_it_is_and_takes_no_end_of_it(every_dag: Sequence[DAG]) -> None:
    for dag in every_dag:
        dag.params.validate()
        for name in dag.params:
            param = dag.params.get_param(name)
            where = f"{dag.dag_id}: {name}"
            assert param.schema["title"], where
            assert len((param.description or "").split()) > 1, where
            kinds = param.schema["type"]
            (kind,) = {kinds} if isinstance(kinds, str) else {*kinds} - {"null"}
            bounds = _BOUNDS[kind] & param.schema.keys()
            assert bounds == _BOUNDS[kind] if kind == "integer" else bounds or not _BOUNDS[kind], where
            for proposal in param.schema.get("examples", ()):
                assert param.resolve(proposal) == proposal, where
