import ast
import json
import sys
from typing import Any

import joblib
import pytest

from local_stack.seed import MODELS, held_out

JSON, CSV, ANY = "application/json", "text/csv", "*/*"


def as_json(rows: list[Any]) -> tuple[str, str, str]:
    return json.dumps({"instances": rows}), JSON, JSON


def as_csv(rows: list[list[float]]) -> tuple[str, str, str]:
    return "\n".join(",".join(map(repr, row)) for row in rows) + "\n", CSV, JSON


@pytest.mark.parametrize("release", ["1", "2"])
def test_breast_cancer_answers_as_the_model_does_offline(serve, unpacked, release: str) -> None:
    rows, truth = held_out("breast-cancer")
    model = joblib.load(unpacked["breast-cancer", release] / "model" / "model.joblib")
    served = serve("breast-cancer", release, as_json(rows), as_csv(rows))

    from_json, from_csv = (answer.predictions for answer in served.answers)
    assert from_json == from_csv
    assert [each["label"] for each in from_json] == model.predict(rows).tolist()
    assert [each["probability"] for each in from_json] == model.predict_proba(rows).max(axis=1).tolist()
    correct = sum(each["label"] == label for each, label in zip(from_json, truth, strict=True))
    metrics = json.loads((unpacked["breast-cancer", release] / "model" / "metrics.json").read_text())
    assert correct / len(truth) == metrics["accuracy"]


@pytest.mark.parametrize("flavor", ["ridge", "boosting"])
def test_diabetes_answers_as_the_flavor_asked_for_does_offline(serve, unpacked, flavor: str) -> None:
    rows, _ = held_out("diabetes")
    model = joblib.load(unpacked["diabetes", "1"] / "model" / f"{flavor}.joblib")
    served = serve("diabetes", "1", as_json(rows), as_csv(rows), MODEL_FLAVOR=flavor)

    from_json, from_csv = (answer.predictions for answer in served.answers)
    assert from_json == from_csv == pytest.approx(model.predict(rows).tolist(), rel=1e-12)


def test_the_two_flavors_differ_and_ridge_is_served_where_none_is_named(serve) -> None:
    rows, _ = held_out("diabetes")
    unnamed, ridge, boosting = (
        serve("diabetes", "1", as_json(rows), as_csv(rows), **environment).answers[0].predictions
        for environment in ({}, {"MODEL_FLAVOR": "ridge"}, {"MODEL_FLAVOR": "boosting"})
    )
    assert unnamed == ridge
    assert ridge != boosting


def test_an_unknown_flavor_keeps_the_container_from_serving(serve) -> None:
    (answer,) = serve("diabetes", "1", as_json([[0.0] * 10]), MODEL_FLAVOR="forest").answers
    assert answer.status == 500
    assert "MODEL_FLAVOR: found 'forest', expected one of ('ridge', 'boosting')" in answer.body


@pytest.mark.parametrize(("name", "width"), [("breast-cancer", 30), ("diabetes", 10)])
def test_a_wrong_request_is_answered_with_its_own_fault(serve, name: str, width: int) -> None:
    good = [0.5] * width
    last = width - 1
    wrong_width, not_finite = f"features, expected {width}", "expected a finite number"
    cases = [
        (as_json([good, good[1:]]), 400, f"row 1: found {last} {wrong_width}"),
        (as_json(good), 400, f"row 0: found float {wrong_width}"),
        (("1,2,3\n", CSV, JSON), 400, f"row 0: found 3 {wrong_width}"),
        (("", CSV, JSON), 400, "found no row, expected at least one"),
        (as_json([]), 400, "found no row, expected at least one"),
        (("{", JSON, JSON), 400, "the body is not JSON"),
        (("[" * 100_000, JSON, JSON), 400, "the body is not JSON"),
        ((json.dumps([good]), JSON, JSON), 400, 'expected {"instances": [[…], …]}'),
        ((json.dumps({"rows": [good]}), JSON, JSON), 400, 'expected {"instances": [[…], …]}'),
        (("9" * 200_000, CSV, JSON), 400, "the body is not CSV"),
        ((",".join(["high", *map(str, good[1:])]), CSV, JSON), 400, "a feature is not a number"),
        (as_json([[[1.0], *good[1:]]]), 400, "a feature is not a number"),
        (as_json([[10**400, *good[1:]]]), 400, "a feature is not a number"),
        (as_json([good, [*good[1:], None]]), 400, f"row 1, feature {last}: found nan, {not_finite}"),
        (as_json([[*good[1:], float("inf")]]), 400, f"row 0, feature {last}: found inf, {not_finite}"),
        (as_json([[1e300, *good[1:]]]), 400, f"row 0, feature 0: found 1e+300, {not_finite}"),
        (("\udcff\udcfe", "text/csv; charset=utf-8", JSON), 400, "the body is not UTF-8"),
        (("<rows/>", "application/xml", JSON), 415, "found content type 'application/xml'"),
        ((*as_json([good])[:2], "image/png"), 406, "found Accept 'image/png', expected application/json"),
    ]
    served = serve(name, "1", *(request for request, _, _ in cases), as_json([good]))

    *refused, after = served.answers
    for answer, (request, status, message) in zip(refused, cases, strict=True):
        assert (answer.status, message in answer.body) == (status, True), (request, answer.body)
    assert len(after.predictions) == 1  # none of them broke the container


@pytest.mark.parametrize(("name", "width"), [("breast-cancer", 30), ("diabetes", 10)])
def test_headers_are_read_as_http_means_them(serve, name: str, width: int) -> None:
    body = as_json([[0.5] * width])[0]
    served = serve(
        name,
        "1",
        (body, "application/json; charset=utf-8", JSON),
        (body, "Application/JSON", ANY),
        (body, JSON, "text/html, application/json;q=0.9"),
        (body, JSON, "application/*"),
    )
    assert [(answer.status, answer.content_type) for answer in served.answers] == [(200, JSON)] * 4


@pytest.mark.parametrize(("name", "width"), [("breast-cancer", 30), ("diabetes", 10)])
def test_serving_needs_only_what_the_container_has(serve, name: str, width: int) -> None:
    served = serve(name, "1", as_json([[0.5] * width]))
    assert served.answers[0].status == 200
    packages = {module.split(".")[0] for module in served.modules}
    assert "inference" in packages
    assert not packages & {"boto3", "airflow", "local_stack", "local_sagemaker", "endpoint_deploy", "train"}

    # Asked of the source: scikit-learn imports pandas where it is installed, and so hides who needs it.
    tree = ast.parse((MODELS / name / "inference.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    foreign = {module.split(".")[0] for module in imported} - sys.stdlib_module_names
    assert foreign == {"joblib", "numpy", "sagemaker_inference"}
