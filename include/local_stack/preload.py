"""What the server that Airflow's task processes are forked from imports, so that no task has to.

Named in `[scheduler] mp_forkserver_preload`. Libraries only: the project's own code is imported afresh by
each task, so that an edit is seen at once. A DAG file then takes 0.1 s of processor time instead of 5 s.
"""

import gc
from importlib import import_module

import boto3

from local_stack.airflow_env import REGION

for _module in (
    "airflow.executors.local_executor",
    "airflow.providers.amazon.aws.hooks.s3",
    "airflow.providers.amazon.aws.operators.sagemaker",
    "airflow.providers.standard.operators.empty",
    "airflow.sdk",
    "great_expectations",
    "modelaudit_picklescan",
    "pydantic",
):
    import_module(_module)

# Nothing is sent: making a first client is what imports most of botocore.
boto3.Session(region_name=REGION).client("sagemaker")

# What lives now lives for ever: a task's collector need not walk it, nor touch (and so copy) its pages.
gc.collect()
gc.freeze()
