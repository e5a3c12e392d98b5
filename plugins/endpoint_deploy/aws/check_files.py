"""What can be wrong with the files that a deployment names: payloads, suites, code."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from endpoint_deploy.core.analysis_spec import AnalysisSpec, JudgedErrorRate
from endpoint_deploy.core.document import Document
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.problems import SpecProblem
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.core.yaml_tree import Step

Where = tuple[Step, ...]
Reader = Callable[[bytes], str | None]
"""Looks at a file's content: what was found where that is not what it must be, else None."""


def file_problems(deployment: Deployment, document: Document) -> Iterator[SpecProblem]:
    """What is wrong with the files that a spec names."""
    for path, relative, wrong, expected in _named(deployment.spec):
        if relative is None:
            continue
        file = deployment.file(relative)
        try:
            found = wrong(file.read_bytes())
        except OSError as error:
            found = f"{error.strerror.lower()}" if error.strerror else "no readable file"
        if found:
            yield document.problem(path, found=f"{relative!r}: {found}", expected=f"{expected} at {file}")
    yield from _code(deployment, document)


def _code(deployment: Deployment, document: Document) -> Iterator[SpecProblem]:
    retrain = deployment.spec.retrain
    if retrain is None:
        return
    training = retrain.training
    folder = deployment.file(training.code)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such directory"
        expected = f"the directory of the training script at {folder}"
        path: Where = ("retrain", "training", "code")
        yield document.problem(path, found=f"{training.code!r}: {found}", expected=expected)
    elif not (folder / training.script).is_file():
        scripts = ", ".join(sorted(file.name for file in folder.glob("*.py"))) or "none"
        yield document.problem(
            ("retrain", "training", "script"),
            found=f"{training.script!r}: no such file",
            expected=f"the training script in {folder}",
            hint=f"there are: {scripts}",
        )


def _named(spec: DeploymentSpec) -> Iterator[tuple[Where, str | None, Reader, str]]:
    """Where the spec names a file, which, and how it is looked at."""
    yield ("model", "manifest_suite"), spec.model.manifest_suite, _no_suite, _SUITE
    for index, test in enumerate(spec.smoke_tests):
        at: Where = ("smoke_tests", index)
        is_json = test.content_type.partition(";")[0].strip() == "application/json"
        payload = (_no_json, "a JSON file, as content_type says") if is_json else (_nothing, "a file to send")
        yield (*at, "payload"), test.payload, *payload
        yield (*at, "expected"), test.expected, _no_list, "a JSON list with a value a prediction"
        yield (*at, "expectations"), test.expectations, _no_suite, _SUITE
    if spec.analysis:
        yield from _analysed(spec.analysis)
    if retrain := spec.retrain:
        suites = {
            ("data", "suite"): retrain.data.suite,
            ("data", "comparison_suite"): retrain.data.comparison_suite,
            ("evaluation", "suite"): retrain.evaluation.suite,
            ("feedback", "suite"): retrain.feedback.suite if retrain.feedback else None,
        }
        for path, suite in suites.items():
            yield ("retrain", *path), suite, _no_suite, _SUITE
        yield ("retrain", "evaluation", "script"), retrain.evaluation.script, _nothing, "a script"
    if batch := spec.batch_transform:
        yield ("batch_transform", "input_suite"), batch.input_suite, _no_suite, _SUITE
        yield ("batch_transform", "output_suite"), batch.output_suite, _no_suite, _SUITE


def _analysed(analysis: AnalysisSpec) -> Iterator[tuple[Where, str | None, Reader, str]]:
    for index, metric in enumerate(analysis.metrics):
        if isinstance(metric, JudgedErrorRate):
            yield ("analysis", "metrics", index, "expectations"), metric.expectations, _no_suite, _SUITE
    for index, payload in enumerate(analysis.replay.payloads if analysis.replay else ()):
        yield (
            ("analysis", "replay", "payloads", index, "payload"),
            payload.payload,
            _nothing,
            "a file to send",
        )


_SUITE = "a Great Expectations suite in JSON: {name, expectations: [{type, kwargs}, …]}"


def _nothing(content: bytes) -> str | None:
    return None if content else "an empty file"


def _parsed(content: bytes) -> tuple[Any, str | None]:
    try:
        return json.loads(content), None
    except json.JSONDecodeError as error:
        return None, f"no JSON ({error.msg} on line {error.lineno})"
    except UnicodeDecodeError:
        return None, "no text in UTF-8"


def _no_json(content: bytes) -> str | None:
    return _parsed(content)[1]


def _no_list(content: bytes) -> str | None:
    value, wrong = _parsed(content)
    return wrong or (None if isinstance(value, list) else "JSON that is no list")


def _no_suite(content: bytes) -> str | None:
    value, wrong = _parsed(content)
    if wrong:
        return wrong
    expectations = value.get("expectations") if isinstance(value, dict) else None
    if not isinstance(expectations, list) or not expectations:
        return "JSON without a list of expectations"
    bad = [i for i, each in enumerate(expectations) if not (isinstance(each, dict) and "type" in each)]
    return f"an expectation without a type (number {bad[0] + 1})" if bad else None
