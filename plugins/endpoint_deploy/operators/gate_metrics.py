"""The metric gate: is the candidate good enough, and no worse than what serves today?"""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.core.evaluation_spec import EvaluationSpec
from endpoint_deploy.core.metric_gate import metric_row, metric_suite, reason
from endpoint_deploy.core.prediction_gate import blamed, prediction_suite
from endpoint_deploy.core.retrain import Evaluation, GatedMetrics
from endpoint_deploy.errors import Refused, ReleaseFailed
from endpoint_deploy.operators.select_data import retrain_of
from endpoint_deploy.quality.docs import judge
from endpoint_deploy.quality.evaluated import evaluated_frame, known_classes
from endpoint_deploy.quality.metrics import measure
from endpoint_deploy.quality.results import SuiteResult
from endpoint_deploy.run_context import pull
from endpoint_deploy.task_base import ReleaseTask

if TYPE_CHECKING:
    import pandas as pd

MEASURED = "measured"  # the XCom of what was measured, also where the gate refuses it


class GateMetricsOperator(ReleaseTask):
    """Great Expectations over the predictions, then over the metrics made from them.

    Returns GatedMetrics, and leaves them in the XCom `measured` before it judges them.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Judge; raises Refused with every reason where the candidate does not pass."""
        found = pull(context, "evaluate")
        if found is None:
            raise AirflowSkipException("there is no evaluation: nothing was trained")
        evaluation = Evaluation.model_validate(found)
        compared = evaluation.champion is not None
        frame = evaluated_frame(self._read(evaluation.predictions))
        judged = [self._judge_predictions(context, frame, evaluation)]
        measured = GatedMetrics(
            rows=len(frame),
            confidence=self._asked.confidence,
            metrics=measure(frame, self._asked, compared=compared),
            champion=evaluation.champion,
        )
        context["ti"].xcom_push(key=MEASURED, value=measured.model_dump(mode="json"))
        table = self._table(measured)
        suite = metric_suite(self.spec.endpoint_name, self._asked.metrics, compared=compared)
        judged.append(self._judge(context, table, suite, "metrics"))
        if self._asked.suite:
            own = self.deployment.file(self._asked.suite)
            judged.append(self._judge(context, table, own, f"metrics-{own.stem}"))
        self.link_data_docs(context, judged[1][1])
        refused = [(result, docs) for result, docs in judged if not result.success]
        if refused:
            self._refuse(measured, refused)
        for metric in measured.metrics:
            self.log.info("%s", metric)
        return measured.model_copy(
            update={
                "suites": tuple(result.to_dict() for result, _ in judged),
                "data_docs": tuple(docs for _, docs in judged),
            }
        ).model_dump(mode="json")

    @property
    def _asked(self) -> EvaluationSpec:
        return retrain_of(self).evaluation

    def _read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.hook.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def _judge_predictions(
        self, context: Context, frame: "pd.DataFrame", evaluation: Evaluation
    ) -> tuple[SuiteResult, str]:
        suite = prediction_suite(
            self.spec.endpoint_name,
            self._asked,
            rows=evaluation.rows,
            classes=known_classes(frame),
            varied=frame["truth_class"].nunique() > 1,
            compared=evaluation.champion is not None,
        )
        result, docs = self._judge(context, frame, suite, "predictions")
        if result.success:
            return result, docs
        said = "; ".join(failed.sentence() for failed in result.failed)
        match blamed([failed.column for failed in result.failed]):
            case "candidate":
                raise Refused(
                    f"the candidate's predictions are refused: {said} (Data Docs: {docs})", data_docs=docs
                )
            case "champion":  # no fault of the candidate's: the two cannot be compared
                raise ReleaseFailed(
                    f"the champion's predictions cannot be compared with: {said} (Data Docs: {docs}). "
                    "Correct retrain.evaluation, or release a model by hand",
                    data_docs=docs,
                )
            case _:
                raise ReleaseFailed(
                    f"the held-out rows cannot be measured with: {said} (Data Docs: {docs}). Correct the "
                    f"files below {self._asked.data}, or the metrics that are asked for",
                    data_docs=docs,
                )

    def _refuse(self, measured: GatedMetrics, refused: list[tuple[SuiteResult, str]]) -> NoReturn:
        said = {
            reason(failed.column, measured, self._asked.metrics) or failed.sentence(): None
            for result, _ in refused
            for failed in result.failed
        }
        docs = refused[0][1]
        raise Refused(f"the candidate is refused: {'; '.join(said)} (Data Docs: {docs})", data_docs=docs)

    def _table(self, measured: GatedMetrics) -> "pd.DataFrame":
        import pandas as pd  # noqa: PLC0415 - costs most of a second

        return pd.DataFrame([metric_row(measured)])

    def _judge(
        self, context: Context, frame: "pd.DataFrame", suite: Path | dict[str, Any], stage: str
    ) -> tuple[SuiteResult, str]:
        """Run a suite, or one made from the spec, and keep its Data Docs."""
        prefix = f"{self.spec.aws.store.rstrip('/')}/data-docs/{self.spec.endpoint_name}"
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(suite, dict):
                made = Path(folder, "suite.json")
                made.write_text(json.dumps(suite))
                suite = made
            return judge(
                self.hook.s3,
                frame,
                suite,
                prefix=f"{prefix}/{self.created_by(context)}/{stage}",
                title=f"{stage.capitalize()} of {self.spec.endpoint_name}",
            )
