"""Airflow's command line with what DAG files import imported: `python -m local_stack.preloaded …`.

The scheduler's LocalExecutor, a Celery worker and the DAG processor fork a process for every task and every
file they parse. What the parent has imported costs those nothing: a DAG file takes 0.1 s of processor time
instead of 1 s to parse and of 5 s to run. Libraries only: the project's own code is imported afresh, so that
an edit is seen.
Before the command, `--with-project` imports that too, for a stack in whose life nobody edits it: half of what
is left of a DAG file's time.
"""

import gc
import sys
from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import boto3

from local_stack.airflow_env import REGION

FOR_DAG_FILES: Final = (
    "airflow.providers.amazon.aws.hooks.s3",
    "airflow.providers.amazon.aws.operators.sagemaker",
    "airflow.providers.standard.operators.empty",
    "airflow.sdk",
    "modelaudit_picklescan",
    "pydantic",
)
FOR_TASKS: Final = (
    "airflow.sdk.execution_time.supervisor",
    "great_expectations",
    "isal.igzip_threaded",
    "sagemaker.core.image_uris",
)


def _dag_builders() -> Iterable[str]:
    """The project's modules that the DAG files import, and by them all that tasks run."""
    package = import_module("endpoint_deploy.dag_builders")
    return [module.name for module in iter_modules(package.__path__, f"{package.__name__}.")]


def preload(modules: Iterable[str]) -> None:
    """Import modules, and keep them and all that lives by now out of garbage collections."""
    for module in modules:
        import_module(module)
    # Nothing is sent: making a first client is what imports most of botocore.
    boto3.Session(region_name=REGION).client("sagemaker")
    # What lives now lives for ever: a child's collector need not walk it, nor touch (and so copy) its pages.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    with_project = sys.argv[1] == "--with-project"
    if with_project:
        del sys.argv[1]
    runs_tasks = sys.argv[1] in {"scheduler", "celery"}
    modules = (*FOR_DAG_FILES, *FOR_TASKS) if runs_tasks else FOR_DAG_FILES
    preload((*modules, *_dag_builders()) if with_project else modules)
    import_module("airflow.__main__").main()
