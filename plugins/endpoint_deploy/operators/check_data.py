"""The data gate: what a model would be trained on, judged before anybody pays for it."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from endpoint_deploy.aws.data_files import fetch
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core import naming
from endpoint_deploy.core.retrain import CheckedData, TrainingSet
from endpoint_deploy.errors import Refused, ReleaseFailed
from endpoint_deploy.operators.select_data import retrain_of, training_set_of
from endpoint_deploy.quality.comparison import comparison_frame, parameters
from endpoint_deploy.quality.data_files import Allowance, check_same_columns, read_data
from endpoint_deploy.quality.docs import judge
from endpoint_deploy.quality.profile import DataProfile, profile_data
from endpoint_deploy.quality.results import SuiteResult
from endpoint_deploy.task_base import ReleaseTask

if TYPE_CHECKING:
    import pandas as pd

_NOT_CLASSES = frozenset({"r2", "mae", "rmse"})  # what a numeric target is measured by


class CheckDataOperator(ReleaseTask):
    """Read every selected file strictly, then judge the rows, and them beside the last accepted set.

    Great Expectations' Data Docs are kept and linked on the task; statistics of what is accepted are kept for
    the next comparison. Returns a CheckedData.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Judge; raises Refused with every expectation that is not met, or with the file that is broken."""
        data = retrain_of(self).data
        chosen = training_set_of(context)
        frame = self._read(chosen)
        profile = profile_data(frame, digest=chosen.digest, target=data.target, classes=self._has_classes())
        reference, said = self._reference(accept_drift=bool(context["params"].get("accept_drift")))
        given = parameters(profile, reference)
        endpoint = self.spec.endpoint_name
        judged = [self._judge(context, frame, data.suite, title=f"Training data of {endpoint}", given=given)]
        if data.comparison_suite is None:
            said = "not compared: the spec has no retrain.data.comparison_suite"
        elif reference is not None:
            judged.append(
                self._judge(
                    context,
                    comparison_frame(frame, profile, reference),
                    data.comparison_suite,
                    title=f"Training data of {endpoint} beside the last accepted",
                    given=given,
                    named_by="column",
                )
            )
        self._refuse_where_failed(judged)
        self.link_data_docs(context, judged[-1][1])
        self.log.info("%d rows accepted; %s", len(frame), said)
        compared = reference is not None and data.comparison_suite is not None
        return CheckedData(
            digest=chosen.digest,
            rows=len(frame),
            profile=self._keep(profile),
            compared_with=reference.digest if compared and reference else None,
            comparison=said,
            suites=tuple(result.to_dict() for result, _ in judged),
            data_docs=tuple(uri for _, uri in judged),
        ).model_dump(mode="json")

    def _has_classes(self) -> bool:
        return not any(metric.name in _NOT_CLASSES for metric in retrain_of(self).evaluation.metrics)

    def _read(self, chosen: TrainingSet) -> "pd.DataFrame":
        import pandas as pd  # noqa: PLC0415 - costs most of a second

        data = retrain_of(self).data
        allowance = Allowance(data.max_bytes)
        frames: list[pd.DataFrame] = []
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "data"
            for file in chosen.files:
                name = f"s3://{chosen.bucket}/{file.key}"
                fetch(self.hook.s3, chosen.bucket, file, local)
                frame = read_data(local, name, format_=data.format, allowance=allowance)
                if frames:
                    first = f"s3://{chosen.bucket}/{chosen.files[0].key}"
                    check_same_columns(
                        list(frame.columns), name, list(frames[0].columns), first, format_=data.format
                    )
                elif data.target not in frame.columns:
                    raise Refused(
                        f"{name}: found no column {data.target!r}, expected it as retrain.data.target among "
                        f"{', '.join(frame.columns)}"
                    )
                frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def _reference(self, *, accept_drift: bool) -> tuple[DataProfile | None, str]:
        """The last accepted set's profile, and what is said of the comparison."""
        if accept_drift:
            return None, "not compared: the form says accept_drift, and these data are the new reference"
        record = self.kit.retrains.last_accepted()
        if record is None or record.data is None:
            return None, "not compared: no training set has been accepted yet"
        found = self._store.read(record.data.profile.removeprefix(self._store.uri("")))
        if found is None:
            raise ReleaseFailed(
                f"{record.data.profile}: the last accepted training set's statistics are gone; run with "
                "`accept_drift` to make these data the reference"
            )
        said = f"compared with the {record.data.rows} rows of {record.data.digest[:12]}"
        return DataProfile.model_validate(found[0]), said

    def _judge(
        self,
        context: Context,
        frame: "pd.DataFrame",
        suite: str,
        *,
        title: str,
        given: dict[str, Any],
        named_by: str | None = None,
    ) -> tuple[SuiteResult, str]:
        file = self.deployment.file(suite)
        key = f"{self.spec.endpoint_name}/{self.created_by(context)}/data/{file.stem}"
        return judge(
            self.hook.s3,
            frame,
            file,
            prefix=f"{self.spec.aws.store.rstrip('/')}/data-docs/{key}",
            title=title,
            parameters=given,
            named_by=named_by,
        )

    def _refuse_where_failed(self, judged: list[tuple[SuiteResult, str]]) -> None:
        failed = [(result, uri) for result, uri in judged if not result.success]
        if not failed:
            return
        reasons = "; ".join(
            f"{'; '.join(each.sentence() for each in result.failed) or f'suite {result.suite} failed'} "
            f"(Data Docs: {uri})"
            for result, uri in failed
        )
        raise Refused(f"the training data are refused: {reasons}", data_docs=failed[0][1])

    @property
    def _store(self) -> JsonStore:
        return JsonStore(self.hook.s3, self.spec.aws.store)

    def _keep(self, profile: DataProfile) -> str:
        # Of the same rows, statistics differ by the target and by whether its values are classes.
        made_for = naming.digest([profile.target, self._has_classes()])[:12]
        key = f"training-sets/{self.spec.endpoint_name}/{profile.digest}/profile-{made_for}.json"
        self._store.create(key, profile.model_dump(mode="json"))  # the same, where it is: it is the content's
        return self._store.uri(key)
