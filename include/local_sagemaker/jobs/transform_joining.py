"""What DataProcessing does to a payload before the model sees it, and to the answer after."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from local_sagemaker.jobs.transform_paths import Filter, compile_filter

EVERYTHING = "$"
_OUTPUT = "SageMakerOutput"
_INPUT = "SageMakerInput"


class JoinError(Exception):
    """A payload or an answer cannot be filtered or joined; the message is what the job's log says of it."""


class Format(Protocol):
    """How records are written: each as a JSON value, a CSV row being an array."""

    def load(self, body: bytes) -> list[Any]:
        """The records in `body`; raises JoinError when it is not in this format."""

    def dump(self, records: Sequence[Any]) -> bytes:
        """The records as a body, a line each, without a newline after the last."""

    def join(self, given: Any, answer: Any) -> Any:
        """A record and its prediction as one."""

    def identify(self, record: Any, inference_id: str, time: str) -> Any:
        """The record with an id and the job's start (guide, InferenceId Generation)."""


class CsvFormat:
    """`text/csv` by RFC 4180; a record is a line, since batch transform knows no embedded newline."""

    def load(self, body: bytes) -> list[Any]:
        """The rows, as arrays of strings."""
        return list(csv.reader(io.StringIO(_text(body), newline="")))

    def dump(self, records: Sequence[Any]) -> bytes:
        """The rows as lines; a single value is a row of one."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(record if isinstance(record, list) else [record] for record in records)
        return text.getvalue().removesuffix("\n").encode()

    def join(self, given: Any, answer: Any) -> Any:
        """The prediction's columns after the record's."""
        return [*given, *answer]

    def identify(self, record: Any, inference_id: str, time: str) -> Any:
        """Two columns more."""
        return [*(record if isinstance(record, list) else [record]), inference_id, time]


@dataclass(frozen=True)
class JsonFormat:
    """JSON: a document a line if `lines`, otherwise one document in a body."""

    lines: bool

    def load(self, body: bytes) -> list[Any]:
        """The documents."""
        parts = _text(body).splitlines() if self.lines else [_text(body)]
        try:
            return [json.loads(part) for part in parts if part.strip()]
        except ValueError as error:
            raise JoinError(f"Invalid JSON: {error}") from error

    def dump(self, records: Sequence[Any]) -> bytes:
        """The documents, each on a line."""
        return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()

    def join(self, given: Any, answer: Any) -> Any:
        """The prediction beside the record's own attributes, or beside the record if it has none."""
        if isinstance(given, dict):
            return {**given, _OUTPUT: answer}
        return {_INPUT: given, _OUTPUT: answer}

    def identify(self, record: Any, inference_id: str, time: str) -> Any:
        """Two attributes more; a record that is no object is put under `output` first."""
        attributes = record if isinstance(record, dict) else {"output": record}
        return {**attributes, "SageMakerInferenceId": inference_id, "SageMakerInferenceTime": time}


@dataclass(frozen=True)
class Processing:
    """One job's DataProcessing; with the defaults nothing is parsed, and bytes pass as they are."""

    source: Format
    target: Format
    input_filter: str = EVERYTHING
    output_filter: str = EVERYTHING
    join_input: bool = False
    inference_time: str | None = None

    def before(self, payload: bytes) -> bytes:
        """What the model is sent for `payload`; raises JoinError or FilterError."""
        if self.input_filter == EVERYTHING:
            return payload
        select = compile_filter(self.input_filter)
        return self.source.dump([select(record) for record in self.source.load(payload)])

    def after(self, payload: bytes, answer: bytes) -> bytes:
        """What is kept for `payload`, to which the model gave `answer`; raises JoinError or FilterError."""
        select: Filter | None = (
            None if self.output_filter == EVERYTHING else compile_filter(self.output_filter)
        )
        if not self.join_input and select is None and self.inference_time is None:
            return answer
        records = self.target.load(answer)
        if self.join_input:
            given = self.source.load(payload)
            if len(given) != len(records):
                raise JoinError("Fail to join data: mismatched line count between the input and the output")
            records = [self.target.join(*pair) for pair in zip(given, records, strict=True)]
        if select:
            records = [select(record) for record in records]
        if self.inference_time:
            records = [self.target.identify(each, str(uuid4()), self.inference_time) for each in records]
        return self.target.dump(records)


def processing(request: dict[str, Any], strategy: str, started: float | None = None) -> Processing:
    """The DataProcessing of a CreateTransformJob request; raises JoinError when its formats cannot be.

    `strategy` is the BatchStrategy settled on; `started`, in seconds since the epoch, is the time that
    DataCaptureConfig's GenerateInferenceId puts beside each id.
    """
    declared = request.get("DataProcessing", {})
    content_type = request["TransformInput"].get("ContentType")
    accept = request["TransformOutput"].get("Accept") or content_type
    by_line = request["TransformInput"].get("SplitType", "None") == "Line"
    identified = request.get("DataCaptureConfig", {}).get("GenerateInferenceId") and started is not None
    used = Processing(
        source=CsvFormat(),
        target=CsvFormat(),
        input_filter=declared.get("InputFilter", EVERYTHING),
        output_filter=declared.get("OutputFilter", EVERYTHING),
        join_input=declared.get("JoinSource") == "Input",
        inference_time=f"{datetime.fromtimestamp(started or 0, UTC):%Y-%m-%dT%H:%M:%SZ}"
        if identified
        else None,
    )
    source = used.source
    target = used.target
    if used.join_input or used.input_filter != EVERYTHING:
        source = _format(content_type, "ContentType", lines=by_line)
    if used.join_input or used.output_filter != EVERYTHING or identified:
        target = _format(accept, "Accept", lines=by_line and strategy != "SingleRecord")
    if used.join_input and type(source) is not type(target):
        raise JoinError(f"Fail to join data: {accept} cannot be joined with {content_type}")
    return replace(used, source=source, target=target)


def _format(media_type: str | None, member: str, *, lines: bool) -> Format:
    match (media_type or "").partition(";")[0].strip().lower():
        case "text/csv":
            return CsvFormat()
        case "application/json":
            return JsonFormat(lines=lines)
        case "application/jsonlines":
            return JsonFormat(lines=True)
    raise JoinError(
        f"DataProcessing needs text/csv, application/json or application/jsonlines as {member}, "
        f"not {media_type or 'nothing'}"
    )


def assembled(body: bytes, assemble_with: str) -> bytes:
    """An answer as it goes into the output file: with `Line` it ends its line, with `None` it is as it is."""
    if assemble_with == "Line" and not body.endswith(b"\n"):
        return body + b"\n"
    return body


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise JoinError("The data is not UTF-8 text") from error
