"""The retrain DAG of a deployment."""

from typing import Any

from airflow.sdk import DAG, Param

from endpoint_deploy.assets import data_asset
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.retrain_spec import RetrainSpec
from endpoint_deploy.dag_builders.chain import (
    LEAST_RETRIES,
    MODEL_PACKAGE,
    REASON,
    add_task,
    add_tasks,
    make_dag,
    schedule_on,
)
from endpoint_deploy.operators.check_data import CheckDataOperator
from endpoint_deploy.operators.evaluate import EvaluateOperator
from endpoint_deploy.operators.gate_metrics import GateMetricsOperator
from endpoint_deploy.operators.merge_feedback import MergeFeedbackOperator
from endpoint_deploy.operators.outcome import OutcomeOperator
from endpoint_deploy.operators.record_retrain import RecordRetrainOperator
from endpoint_deploy.operators.register import RegisterOperator
from endpoint_deploy.operators.select_data import SelectDataOperator
from endpoint_deploy.operators.train import TrainOperator
from endpoint_deploy.operators.tune import TuneOperator
from endpoint_deploy.operators.validate_candidate import ValidateCandidateOperator
from endpoint_deploy.task_base import ReleaseTask

_GOOD = frozenset({"registered", "nothing_new"})
_HYPERPARAMETERS: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"type": "string", "pattern": r"^[\w.\-]{1,256}$"},
    "additionalProperties": {"type": ["string", "number", "boolean"], "maxLength": 2500},
    "maxProperties": 90,
}


def build_retrain_dag(deployment: Deployment) -> DAG | None:
    """Select, check, train, evaluate, gate, register; record; None for a spec without `retrain`."""
    spec = deployment.spec
    if spec.retrain is None:
        return None
    asset = data_asset(spec) if spec.retrain.on_new_data else None
    with make_dag(
        "retrain",
        deployment,
        params=_form(spec.retrain),
        doc=_doc(deployment, spec.retrain),
        schedule=schedule_on(asset, spec.retrain.schedule),
    ) as dag:
        chain = add_tasks(deployment, _tasks(spec.retrain))
        retries = max(spec.run.retries, LEAST_RETRIES)
        record = add_task(
            deployment,
            "record_retrain",
            RecordRetrainOperator,
            "all_done",
            retries=retries,
            chain=tuple(chain),
        )
        outcome = add_task(
            deployment,
            "outcome",
            OutcomeOperator,
            "all_done",
            retries=retries,
            recorded_by="record_retrain",
            good=_GOOD,
        )
        chain["register"] >> record >> outcome
    return dag


def _tasks(retrain: RetrainSpec) -> tuple[tuple[str, type[ReleaseTask]], ...]:
    return (
        ("merge_feedback", MergeFeedbackOperator),
        ("select_data", SelectDataOperator),
        ("check_data", CheckDataOperator),
        ("train", TuneOperator if retrain.tuning else TrainOperator),
        ("validate_candidate", ValidateCandidateOperator),
        ("evaluate", EvaluateOperator),
        ("gate_metrics", GateMetricsOperator),
        ("register", RegisterOperator),
    )


def _doc(deployment: Deployment, retrain: RetrainSpec) -> str:
    spec = deployment.spec
    group = spec.registry.group if spec.registry else ""
    return (
        f"Trains a model for endpoint **{spec.endpoint_name}** ({spec.aws.region}) on the files below "
        f"`{retrain.data.source}`, and registers it in group `{group}` where it passes its gates: that of "
        f"the data before training, that of the metrics after it.\n\n{spec.description}\n\n"
        "A run whose data, code and hyperparameters are those of the last registered package ends as "
        "*nothing new*. A run that a gate stops ends failed: `outcome` says which and why, and the gate's "
        "task links its Data Docs. An approved package starts the deploy DAG."
    )


def _form(retrain: RetrainSpec) -> dict[str, Param]:
    window = f"the last {retrain.data.window} files" if retrain.data.window else "all files"
    return {
        "window": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=10_000,
            title="Window",
            description="Train on the last so many files, in the order of their keys, and on all files of "
            f"feedback; empty: {window}.",
            section="Data",
        ),
        "accept_drift": Param(
            False,
            type="boolean",
            title="Accept drift",
            description="Do not judge how the data differ from the last accepted set; they become what "
            "the next ones are compared with.",
            section="Data",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Go on where data, code and hyperparameters are those of the last package.",
            section="Data",
        ),
        "hyperparameters": Param(
            {},
            **_HYPERPARAMETERS,
            title="Hyperparameters",
            description='Over those of the spec, by name, e.g. {"max_depth": 4}.',
            section="Training",
        ),
        "model_package": Param(
            None,
            **{**MODEL_PACKAGE.schema, "title": "Model package"},
            description="ARN of a model package that is evaluated, gated and registered instead of a "
            "newly trained model; no data are read.",
            section="Training",
        ),
        "reason": REASON,
    }
