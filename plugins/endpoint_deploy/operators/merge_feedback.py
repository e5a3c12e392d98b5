"""Close the loop: join what was asked in production with what turned out to be true."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from endpoint_deploy.airflow_versions import AirflowSkipException
from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.aws.feedback_files import CapturedRequests, lines, place_of
from endpoint_deploy.aws.store import JsonStore
from endpoint_deploy.core.feedback import (
    Figures,
    Row,
    Truth,
    Unusable,
    join_row,
    join_suite,
    joined,
    request_id,
    request_rows,
    truth_of,
)
from endpoint_deploy.core.feedback_hours import (
    Merged,
    MergedHour,
    before,
    by_hour,
    hours_to_merge,
    lost,
    name_of,
)
from endpoint_deploy.core.retrain import DataFile
from endpoint_deploy.core.retrain_spec import FeedbackSpec
from endpoint_deploy.errors import Refused, TryAgain
from endpoint_deploy.operators.feedback_columns import check_order
from endpoint_deploy.operators.select_data import retrain_of
from endpoint_deploy.quality.docs import judge
from endpoint_deploy.quality.feedback import file_of, frame_of
from endpoint_deploy.task_base import ReleaseTask

if TYPE_CHECKING:
    import pandas as pd

_ENDINGS = {"csv": "csv", "jsonlines": "jsonl", "parquet": "parquet"}
_Truths = Mapping[datetime, tuple[list[Truth], Figures]]


class MergeFeedbackOperator(ReleaseTask):
    """Write `<retrain.data.source>/feedback/YYYY-MM-DD-HH.<format>`, a file for each hour of ground truth.

    An hour's file depends on the truth up to that hour and on the requests captured before it: a second run
    leaves the object as it is, and late truth makes its hour's file anew. Returns the join's figures,
    the hours that were written, and those kept since captured requests of their rows are gone.
    """

    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> dict[str, Any]:
        """Join, judge, write; raises Refused, with nothing written, where a suite is not met."""
        feedback = self._feedback()
        truth = by_hour(files_below(self.hook.s3, feedback.ground_truth))
        store = JsonStore(self.hook.s3, self.spec.aws.store)
        key = f"feedback/{self.spec.endpoint_name}.json"
        known = store.read(key)
        done = Merged.model_validate(known[0]) if known else Merged()
        settings = [self._columns, retrain_of(self).data.format, feedback.longest_delay_hours]
        there = self._there()
        due = hours_to_merge(truth, done, there, settings=settings, delay=feedback.longest_delay_hours)
        if not due:
            raise AirflowSkipException("no ground truth is new")
        check_order(self.hook.s3, retrain_of(self), self._columns)
        joined_now = self._join(feedback, truth, list(due))
        merged = dict(done.hours)
        made = {}
        figures = Figures()
        for hour, (rows, counted) in joined_now.items():
            name = name_of(hour)
            if name in there and lost(done.hours.get(name), counted):
                merged[name] = done.hours[name].model_copy(update={"digest": due[hour]})
                self.log.warning(
                    "%s is kept: captured requests of its rows are gone (%s)", name, counted.sentence
                )
            else:
                made[hour] = (rows, counted)
            figures = figures.plus(counted if hour in made else merged[name].figures)
        self.log.info("%d hours: %s", len(made), figures.sentence)
        docs = self._judged(context, feedback, made, figures)
        # All of them before the first is written, for one may be refused.
        bodies = {hour: self._body(rows) for hour, (rows, _) in made.items()}
        for hour, (_, counted) in made.items():
            name = name_of(hour)
            known_as = done.hours[name].content if name in there and name in done.hours else None
            content = self._write(name, bodies[hour], known_as)
            merged[name] = MergedHour(digest=due[hour], figures=counted, content=content)
        document = Merged(hours=merged).model_dump(mode="json")
        if not (store.replace(key, document, known[1]) if known else store.create(key, document)):
            raise TryAgain(f"{store.uri(key)} has been written by another run in the meantime")
        hours = [name_of(hour) for hour, (rows, _) in made.items() if rows]
        kept = [name_of(hour) for hour in joined_now if hour not in made]
        return {
            **join_row(figures),
            "reasons": figures.unusable,
            "hours": hours,
            "kept": kept,
            "data_docs": docs,
        }

    @property
    def _columns(self) -> list[str]:
        return [*self._feedback().features, retrain_of(self).data.target]

    def _feedback(self) -> FeedbackSpec:
        if (feedback := retrain_of(self).feedback) is None:
            raise AirflowSkipException("the spec has no section retrain.feedback")
        return feedback

    def _place(self, hour: str) -> tuple[str, str]:
        data = retrain_of(self).data
        bucket, below = place_of(data.source)
        return bucket, f"{below}feedback/{hour}.{_ENDINGS[data.format]}"

    def _there(self) -> frozenset[str]:
        """Names of the hours that have a file in the data's format."""
        data = retrain_of(self).data
        found = files_below(self.hook.s3, f"{data.source.rstrip('/')}/feedback")
        paths = [Path(file.key) for file in found]
        return frozenset(path.stem for path in paths if path.suffix == f".{_ENDINGS[data.format]}")

    def _join(
        self, feedback: FeedbackSpec, truth: Mapping[datetime, tuple[DataFile, ...]], due: list[datetime]
    ) -> dict[datetime, tuple[tuple[Row, ...], Figures]]:
        delay = feedback.longest_delay_hours
        near = [hour for hour in truth if any(before(each, delay) <= hour <= each for each in due)]
        read = {hour: self._truths(feedback, truth[hour]) for hour in near}
        wanted = {one.id for hour in due for one in read[hour][0]}
        requests = self._requests([(before(hour, delay), hour) for hour in due], wanted)
        made = {}
        for hour in due:
            earlier = frozenset(
                one.id
                for other, (truths, _) in read.items()
                if before(hour, delay) <= other < hour
                for one in truths
            )
            truths, unread = read[hour]
            rows, counted = joined(truths, requests, earlier)
            made[hour] = (rows, counted.plus(unread))
        return made

    def _truths(self, feedback: FeedbackSpec, files: tuple[DataFile, ...]) -> tuple[list[Truth], Figures]:
        truths, unread = [], Figures()
        for file in files:
            for line in lines(self.hook.s3, feedback.ground_truth, file):
                try:
                    truths.append(truth_of(line))
                except Unusable as reason:
                    unread = unread.plus(Figures(truths=1, unusable={str(reason): 1}))
        return truths, unread

    def _requests(
        self, spans: list[tuple[datetime, datetime]], wanted: set[str]
    ) -> dict[str, tuple[Row, ...] | str]:
        """Rows of the wanted requests by their ids, or why there are none; the first of a name counts."""
        capture = self.spec.endpoint.data_capture
        if capture is None:
            return {}
        captured = CapturedRequests(self.hook.s3, capture.destination, self.spec.endpoint_name)
        answered = bool({"Output", "InputAndOutput"} & set(capture.capture))
        features = self._feedback().features
        found: dict[str, tuple[Row, ...] | str] = {}
        for record in captured.records(captured.files(spans)):
            name = request_id(record)
            if name is None or name not in wanted or name in found:
                continue
            try:
                found[name] = request_rows(record, features, answered=answered)
            except Unusable as reason:
                found[name] = str(reason)
        return found

    def _judged(
        self,
        context: Context,
        feedback: FeedbackSpec,
        made: Mapping[datetime, tuple[tuple[Row, ...], Figures]],
        figures: Figures,
    ) -> list[str]:
        import pandas as pd  # noqa: PLC0415 - costs most of a second

        tables: list[tuple[str, pd.DataFrame, Path | dict[str, Any]]] = [
            (
                "join",
                pd.DataFrame([join_row(figures)]),
                join_suite(self.spec.endpoint_name, feedback.least_joined),
            )
        ]
        rows = [row for made_rows, _ in made.values() for row in made_rows]
        if feedback.suite and rows:
            frame = frame_of(rows, self._columns, retrain_of(self).data.format)
            tables.append(("rows", frame, self.deployment.file(feedback.suite)))
        docs = []
        for stage, table, suite in tables:
            success, said, uri = self._judge(context, table, suite, f"feedback-{stage}")
            docs.append(uri)
            self.link_data_docs(context, uri)
            if not success:
                raise Refused(
                    f"the feedback is refused, and nothing of it written: {said} ({figures.sentence}; "
                    f"Data Docs: {uri})",
                    data_docs=uri,
                )
        return docs

    def _judge(
        self, context: Context, table: "pd.DataFrame", suite: Path | dict[str, Any], stage: str
    ) -> tuple[bool, str, str]:
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(suite, dict):
                made = Path(folder, "suite.json")
                made.write_text(json.dumps(suite))
                suite = made
            result, uri = judge(
                self.hook.s3,
                table,
                suite,
                prefix=f"{self.spec.aws.store.rstrip('/')}/data-docs/{self.spec.endpoint_name}/"
                f"{self.created_by(context)}/{stage}",
                title=f"{stage.capitalize()} of {self.spec.endpoint_name}",
            )
        return result.success, "; ".join(failed.sentence() for failed in result.failed), uri

    def _body(self, rows: tuple[Row, ...]) -> bytes | None:
        return file_of(rows, self._columns, retrain_of(self).data.format) if rows else None

    def _write(self, hour: str, body: bytes | None, there: str | None) -> str | None:
        """Write an hour's file, unless it is there; SHA-256 of what it is then. there: of what is there."""
        bucket, key = self._place(hour)
        if body is None:
            self.hook.s3.delete_object(Bucket=bucket, Key=key)
            return None
        digest = hashlib.sha256(body).hexdigest()
        if digest != there:
            self.hook.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return digest
