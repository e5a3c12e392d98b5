"""An output file's predictions: one for each row, in whichever form the model answers."""

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from endpoint_deploy.core.batch_input import BadLine
from endpoint_deploy.core.batch_output import check_count, predictions_of
from endpoint_deploy.core.batch_spec import BatchTransformSpec

BATCH = BatchTransformSpec.model_validate(
    {"input": "s3://bucket/in", "output": "s3://bucket/out", "instance_type": "ml.m5.large"}
)


def lines(*answers: Any) -> bytes:
    return "".join(f"{json.dumps(answer)}\n" for answer in answers).encode()


@pytest.mark.parametrize(
    "answers",
    [
        [{"embedding": [0.1, 0.2, 0.3]}, {"embedding": [0.4, 0.5, 0.6]}],
        [{"label": ["a", "b"], "prob": [0.9, 0.1]}, {"label": ["b", "a"], "prob": [0.8, 0.2]}],
        [{"embedding": [0.1, 0.2, 0.3], "probabilities": [0.1, 0.9]}, {"embedding": [], "probabilities": []}],
    ],
)
def test_a_line_for_each_row_is_a_prediction_whatever_lists_it_holds(answers: list[Any]) -> None:
    assert predictions_of(lines(*answers), BATCH, rows=2) == answers


def test_a_line_for_several_rows_is_their_predictions() -> None:
    several = lines({"score": [0.1, 0.2]}, {"predictions": [{"score": 0.3}]})
    expected = [{"score": 0.1}, {"score": 0.2}, {"score": 0.3}]
    assert predictions_of(several, BATCH, rows=3) == expected


def test_neither_as_many_lines_nor_as_many_predictions_as_rows_is_refused() -> None:
    with pytest.raises(BadLine):
        predictions_of(lines({"score": [0.1, 0.2]}, {"score": [0.3, 0.4]}), BATCH, rows=3)


def ended(read: Any, *arguments: Any, **named: Any) -> str:
    try:
        read(*arguments, **named)
    except BadLine as bad:
        return f"{bad.found}; {bad.expected}"
    return "counted"


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize(
    ("accept", "content"),
    [
        ("application/jsonlines", lines({"a": [1, 2]}, {"a": [3]})),
        ("application/jsonlines", lines({"a": [1, 2], "b": [1]}, 7)),
        ("application/jsonlines", lines([1, 2]) + b"\n\n"),
        ("application/jsonlines", lines({"predictions": [1, 2, 3]})),
        ("application/jsonlines", b'{"a": 1}\n{"a": '),
        ("application/jsonlines", b"[" * 100_000),
        ("application/jsonlines", b""),
        ("text/csv", b"1,2\n\n3,4"),
        ("text/csv", b'1,"x\nx"\n2,y\n'),
        ("text/csv", b"1\r\n2\r\n"),
        ("text/csv", b'"' + b"x" * 200_000 + b'"\n'),
        ("text/csv", b"\xff\n"),
        ("text/csv", b""),
    ],
)
def test_counted_in_a_stream_it_is_what_it_is_in_memory(accept: str, content: bytes, rows: int) -> None:
    batch = BATCH.model_copy(update={"accept": accept})
    streamed = ended(check_count, content.splitlines(keepends=True), batch, rows=rows)
    whole = ended(predictions_of, content, batch, rows=rows)
    # Where in the file a byte is no UTF-8 or JSON ends is said as the line's, not the file's.
    assert streamed.partition(" (")[0] == whole.partition(" (")[0]


@pytest.mark.parametrize(
    ("accept", "line"),
    [("application/jsonlines", b'{"embedding": [0.1, 0.2, 0.3]}\n'), ("text/csv", b"0.1,0.2,0.3\n")],
)
def test_counting_holds_a_line_at_a_time(accept: str, line: bytes) -> None:
    rows = 100_000

    def content() -> Iterator[bytes]:
        for _ in range(rows):
            yield bytes(bytearray(line))

    batch = BATCH.model_copy(update={"accept": accept})
    tracemalloc.start()
    check_count(content(), batch, rows=rows)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < rows
