"""Manifests and answers as tables."""

import json

import pytest

from endpoint_deploy.quality import PredictionsUnreadable, Response, manifest_frame, predictions_frame


def response(body: object, content_type: str = "application/json", expected: list | None = None) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response("primary", "batch", content_type, data, expected)


def records(*responses: Response) -> list[dict]:
    frame = predictions_frame(responses).drop(columns=["variant", "payload"])
    return frame.to_dict("records")


def test_a_manifest():
    frame = manifest_frame(
        [
            {"name": "./code/lib/Tools.PY", "size": 10, "type": "file", "mode": 0o644},
            {"name": "model.tar.gz", "size": 5, "type": "file", "mode": 0o600},
            {"name": "code", "size": 0, "type": "dir", "mode": 0o755},
        ]
    )
    assert frame.to_dict("list") == {
        "name": ["code/lib/Tools.PY", "model.tar.gz", "code"],
        "size": [10, 5, 0],
        "type": ["file", "file", "dir"],
        "mode": [0o644, 0o600, 0o755],
        "directory": ["code/lib", "", ""],
        "suffix": [".py", ".gz", ""],
        "depth": [2, 0, 0],
    }


def test_an_empty_manifest_has_its_columns():
    assert list(manifest_frame([]).columns) == [
        "name",
        "size",
        "type",
        "mode",
        "directory",
        "suffix",
        "depth",
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "rows"),
    [
        ([1.5, 2], "application/json", [{"prediction": 1.5}, {"prediction": 2}]),
        ([[1.5], [2.0]], "application/json; charset=utf-8", [{"prediction": 1.5}, {"prediction": 2.0}]),
        ([[1, 2]], "application/json", [{"prediction_0": 1, "prediction_1": 2}]),
        ({"predictions": [1, 2]}, "application/json", [{"prediction": 1}, {"prediction": 2}]),
        ({"predictions": [{"a": 1}]}, "application/json", [{"a": 1}]),
        ([{"label": 1, "probability": 0.5}], "APPLICATION/JSON", [{"label": 1, "probability": 0.5}]),
        ({"y": [1, 0], "p": [0.5, 0.75]}, "application/json", [{"y": 1, "p": 0.5}, {"y": 0, "p": 0.75}]),
        ({"label": 1}, "application/json", [{"label": 1}]),
        (3.5, "application/json", [{"prediction": 3.5}]),
        (b'{"label": 1}\n\n{"label": 0}\n', "application/jsonlines", [{"label": 1}, {"label": 0}]),
        (b"1\n2\n", "application/jsonlines", [{"prediction": 1}, {"prediction": 2}]),
        (b"1.5\n2\n", "text/csv", [{"prediction": 1.5}, {"prediction": 2.0}]),
        (b"cat,0.5\r\ndog,0.25\r\n", "text/csv", [
            {"prediction_0": "cat", "prediction_1": 0.5}, {"prediction_0": "dog", "prediction_1": 0.25}]),
    ],
)  # fmt: skip
def test_the_usual_forms_of_an_answer(body, content_type, rows):
    assert records(response(body, content_type)) == rows


def test_a_batch_in_a_single_line():
    assert records(response(b"1,2,3", "text/csv", [1, 2, 4])) == [
        {"prediction": 1.0, "expected": 1, "absolute_error": 0.0},
        {"prediction": 2.0, "expected": 2, "absolute_error": 0.0},
        {"prediction": 3.0, "expected": 4, "absolute_error": 1.0},
    ]


def test_answers_of_several_variants():
    frame = predictions_frame(
        [
            Response("a", "one", "application/json", b"[1]", [2]),
            Response("b", "one", "application/json", b"[3]", [2]),
        ]
    )
    assert frame.to_dict("list") == {
        "variant": ["a", "b"],
        "payload": ["one", "one"],
        "prediction": [1, 3],
        "expected": [2, 2],
        "absolute_error": [1, 1],
    }


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (response(b"<html>"), "a body that is not application/json"),
        (response(b"\xff\xfe"), "a body that is not application/json"),
        (response(b"[1"), "the body starts '\\[1'"),
        (response([]), "no prediction in it"),
        (response(b"", "text/csv"), "no prediction in it"),
        (response({"a": [1], "b": [1, 2]}), "a body that is not application/json"),
        (response([1], "application/x-npy"), "the content type 'application/x-npy', expected"),
        (response([1, 2], expected=[1]), "2 predictions, expected 1"),
        (response([{"variant": "x"}]), "a part named 'variant'"),
        (response(b"x" * 500), "x{200}'…$"),
    ],
)
def test_an_answer_that_cannot_be_read(answer, what):
    with pytest.raises(PredictionsUnreadable, match=what) as raised:
        predictions_frame([answer])
    assert str(raised.value).startswith("variant primary, payload batch: ")
