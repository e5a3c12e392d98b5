"""What can be wrong with a deployment beyond its YAML, found without an AWS call.

The files that it names, the instance types that the service's API model lists, the framework's image.
"""

import difflib
import json
from collections.abc import Callable, Iterator
from typing import Any

from endpoint_deploy.aws.api_model import instance_types
from endpoint_deploy.aws.images import UnknownImage, resolve_image
from endpoint_deploy.core.document import Document
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.problems import SpecProblem
from endpoint_deploy.core.yaml_tree import Step

Where = tuple[Step, ...]
Reader = Callable[[bytes], str | None]
"""Looks at a file's content: what was found where that is not what it must be, else None."""


def check(deployment: Deployment, document: Document) -> tuple[SpecProblem, ...]:
    """Every problem of a deployment whose YAML is good, in the order of its lines."""
    return tuple(
        sorted(
            (*_files(deployment, document), *_instances(deployment, document), *_image(deployment, document))
        )
    )


def _instances(deployment: Deployment, document: Document) -> Iterator[SpecProblem]:
    known = sorted(instance_types())
    image = deployment.spec.model.image
    named: dict[Where, str | None] = {
        ("endpoint", "variants", index, "instance_type"): variant.instance_type
        for index, variant in enumerate(deployment.spec.endpoint.variants)
    }
    if not isinstance(image, str):
        named[("model", "image", "instance_type")] = image.instance_type
    for path, found in named.items():
        if found is not None and found not in known:
            close = difflib.get_close_matches(found, known, n=3)
            expected = f"one of SageMaker's {len(known)} instance types for hosting"
            hint = f"close to it: {', '.join(close)}" if close else ""
            yield document.problem(path, found=repr(found), expected=expected, hint=hint)


def _image(deployment: Deployment, document: Document) -> Iterator[SpecProblem]:
    spec = deployment.spec
    try:
        resolve_image(
            spec.model.image, region=spec.aws.region, instance_type=spec.endpoint.variants[0].instance_type
        )
    except UnknownImage as error:
        yield document.problem(("model", "image"), found=error.found, expected=error.expected)


def _files(deployment: Deployment, document: Document) -> Iterator[SpecProblem]:
    spec = deployment.spec
    named: list[tuple[Where, str | None, Reader, str]] = [
        (("model", "manifest_suite"), spec.model.manifest_suite, _no_suite, _SUITE)
    ]
    for index, test in enumerate(spec.smoke_tests):
        at: Where = ("smoke_tests", index)
        is_json = test.content_type.partition(";")[0].strip() == "application/json"
        payload = (_no_json, "a JSON file, as content_type says") if is_json else (_nothing, "a file to send")
        named += [
            ((*at, "payload"), test.payload, *payload),
            ((*at, "expected"), test.expected, _no_list, "a JSON list with a value a prediction"),
            ((*at, "expectations"), test.expectations, _no_suite, _SUITE),
        ]
    for path, relative, wrong, expected in named:
        if relative is None:
            continue
        file = deployment.file(relative)
        try:
            found = wrong(file.read_bytes())
        except OSError as error:
            found = f"{error.strerror.lower()}" if error.strerror else "no readable file"
        if found:
            yield document.problem(path, found=f"{relative!r}: {found}", expected=f"{expected} at {file}")


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
