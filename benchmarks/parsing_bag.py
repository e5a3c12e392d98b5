"""One parse: `python -m benchmarks.parsing_bag ours|dag-factory parse|tasks FILE DAG_ID`, by a DagBag.

A process of its own, since Airflow reads its configuration when it is imported. With a DAG id the file is
parsed as for a run of one of that DAG's tasks. `parse` prints `{"seconds", "mib", "dags"}`, the resident
memory that was added; `tasks` prints the DAG's tasks with what each waits for.
"""

import gc
import importlib
import json
import os
import sys
import time

import psutil
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators.empty import EmptyOperator  # noqa: F401 - so that both find it

_LIBRARIES = {
    "ours": ("endpoint_deploy.dag_builders.deploy", "endpoint_deploy.dag_builders.factory"),
    "dag-factory": ("dagfactory",),
}
_CONTEXT = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"  # what Airflow sets for a task's run (airflow.sdk's dagbag)


def main(who: str, command: str, file: str, dag_id: str) -> None:
    """Parse and print."""
    for library in _LIBRARIES[who]:
        importlib.import_module(library)
    if dag_id:
        os.environ[_CONTEXT] = dag_id
    process = psutil.Process()
    gc.collect()
    before, began = process.memory_info().rss, time.perf_counter()
    bag = DagBag(dag_folder=file)
    seconds = time.perf_counter() - began
    if bag.import_errors:
        raise RuntimeError(f"{file} does not import: {bag.import_errors}")
    if command == "tasks":
        said = {task.task_id: sorted(task.upstream_task_ids) for task in bag.dags[dag_id].tasks}
    else:
        added = (process.memory_info().rss - before) / 2**20
        said = {"seconds": seconds, "mib": max(added, 0.01), "dags": len(bag.dags)}
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
