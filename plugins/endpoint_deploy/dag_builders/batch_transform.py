"""The batch transform DAG of a deployment."""

from airflow.sdk import DAG, Param

from endpoint_deploy.assets import input_asset
from endpoint_deploy.core.batch_spec import BatchTransformSpec
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.chain import (
    LEAST_RETRIES,
    NUMBER,
    REASON,
    add_task,
    add_tasks,
    make_dag,
    schedule_on,
)
from endpoint_deploy.operators.check_input import CheckInputOperator
from endpoint_deploy.operators.check_output import CheckOutputOperator
from endpoint_deploy.operators.deliver_batch import DeliverBatchOperator
from endpoint_deploy.operators.outcome import OutcomeOperator
from endpoint_deploy.operators.record_batch import RecordBatchOperator
from endpoint_deploy.operators.resolve_batch import ResolveBatchOperator
from endpoint_deploy.operators.transform import TransformOperator
from endpoint_deploy.task_base import ReleaseTask

_PREFIX = r"^s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/[^\s]*)?$"
_GOOD = frozenset({"delivered", "nothing_to_do"})

_TASKS: tuple[tuple[str, type[ReleaseTask]], ...] = (
    ("resolve_batch", ResolveBatchOperator),
    ("check_input", CheckInputOperator),
    ("transform", TransformOperator),
    ("check_output", CheckOutputOperator),
    ("deliver", DeliverBatchOperator),
)


def build_batch_transform_dag(deployment: Deployment) -> DAG | None:
    """Resolve, check the input, transform, check the output, deliver; record. None without the section."""
    spec = deployment.spec
    batch = spec.batch_transform
    if batch is None:
        return None
    asset = input_asset(spec) if batch.on_new_data else None
    doc = (
        f"Predicts every row of every file below `{batch.input}` by a released model of endpoint "
        f"**{spec.endpoint_name}**, and delivers below `{batch.output}`.\n\n{spec.description}\n\n"
        "A run that finds its input delivered already, by the same model, ends as *nothing to do*. A file "
        "that is not fit, or that the model refuses, is set aside: the others are delivered, and the run "
        "ends failed with the file and the reason in `outcome`."
    )
    with make_dag(
        "batch_transform",
        deployment,
        params=_form(batch),
        doc=doc,
        schedule=schedule_on(asset, batch.schedule),
    ) as dag:
        chain = add_tasks(deployment, _TASKS)
        retries = max(spec.run.retries, LEAST_RETRIES)
        record = add_task(
            deployment, "record_batch", RecordBatchOperator, "all_done", retries=retries, chain=tuple(chain)
        )
        outcome = add_task(
            deployment,
            "outcome",
            OutcomeOperator,
            "all_done",
            retries=retries,
            recorded_by="record_batch",
            good=_GOOD,
        )
        chain["deliver"] >> record >> outcome
    return dag


def _form(batch: BatchTransformSpec) -> dict[str, Param]:
    return {
        "input": Param(
            None,
            type=["null", "string"],
            title="Input",
            description=f"s3://… prefix of the files to predict; empty: {batch.input}",
            pattern=_PREFIX,
            examples=[batch.input],
            maxLength=512,
        ),
        "release": Param(
            None,
            **NUMBER,
            title="Release",
            description="Number in the ledger, whose model predicts; empty: the live release.",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Predict and deliver anew what has been delivered before.",
        ),
        "reason": REASON,
    }
