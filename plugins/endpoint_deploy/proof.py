"""Proof that an endpoint serves: real requests, and what came back judged by Great Expectations."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.model_spec import SmokeTest
from endpoint_deploy.core.strict import Strict
from endpoint_deploy.errors import ReleaseFailed, SpecError
from endpoint_deploy.quality.docs import judge
from endpoint_deploy.quality.predictions import Response, predictions_frame
from endpoint_deploy.quality.results import SuiteResult
from endpoint_deploy.quality.suites import run_suite

_ANSWER_WITHIN = 60.0  # seconds of a service that is not ready yet, such as a cold serverless endpoint
_TRIES = 3  # the first request after a start is a cold one; the best of three is held to the budget
_PAUSE_SECONDS = 1.0


class Proof(Strict):
    """What was sent and what it showed. Latencies in milliseconds, the best of three for each test."""

    variants: tuple[str, ...]
    requests: int
    latency_ms: dict[str, float]
    suites: tuple[dict[str, Any], ...]
    data_docs: tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    test: SmokeTest
    response: Response
    milliseconds: float
    requests: int


def prove(
    hook: EndpointHook, deployment: Deployment, variants: Sequence[str], *, docs_key: str | None
) -> Proof:
    """Send every payload to every variant and judge status, content type, latency and predictions.

    docs_key: where under the store Data Docs go; None for none (they take a second to draw). Raises
    ReleaseFailed with everything that is wrong.
    """
    spec = deployment.spec
    if not variants:
        raise ReleaseFailed(f"no variant of {spec.endpoint_name} to send a request to; expected at least one")
    answers: list[_Answer] = []
    wrong: list[str] = []
    for variant in variants:
        for test in spec.smoke_tests:
            try:
                answer = _ask(hook, deployment, test, variant)
            except ReleaseFailed as error:
                wrong.append(str(error))
                continue
            answers.append(answer)
            if answer.milliseconds > test.latency_budget_ms:
                wrong.append(
                    f"smoke test {test.name} on variant {variant}: answered in {answer.milliseconds:.0f} ms, "
                    f"expected at most {test.latency_budget_ms:.0f} ms"
                )
    results: list[SuiteResult] = []
    docs: list[str] = []
    for relative, responses in _by_suite(answers).items():
        result, uri = _judge(hook, deployment, relative, responses, docs_key)
        results.append(result)
        docs += [uri] if uri else []
        shown = f" (Data Docs: {uri})" if uri else ""
        wrong += [f"predictions: {failed.sentence()}{shown}" for failed in result.failed]
        if not result.success and not result.failed:
            wrong.append(f"predictions: suite {relative} failed{shown}")
    if wrong:
        raise ReleaseFailed("; ".join(wrong), data_docs=docs[0] if docs else None)
    return Proof(
        variants=tuple(variants),
        requests=sum(answer.requests for answer in answers),
        latency_ms={f"{a.response.variant}/{a.test.name}": round(a.milliseconds, 1) for a in answers},
        suites=tuple(result.to_dict() for result in results),
        data_docs=tuple(docs),
    )


def _ask(hook: EndpointHook, deployment: Deployment, test: SmokeTest, variant: str) -> _Answer:
    payload = _read(deployment, test.payload)
    expected = json.loads(_read(deployment, test.expected)) if test.expected else None
    best, answer, tries = float("inf"), None, 0
    while tries < _TRIES and best > test.latency_budget_ms:
        tries += 1
        started = time.perf_counter()
        answer = _invoke(hook, deployment, test, variant, payload)
        best = min(best, (time.perf_counter() - started) * 1000)
    if answer is None:  # pragma: no cover  a budget is above 0, so there was at least one try
        raise ReleaseFailed(f"smoke test {test.name} was not sent")
    content_type, body = answer
    wanted = test.accept.partition(";")[0].strip()
    if content_type.partition(";")[0].strip() != wanted:
        raise ReleaseFailed(
            f"smoke test {test.name} on variant {variant}: answered {content_type!r}, expected {wanted!r}"
        )
    response = Response(
        variant=variant, payload=test.name, content_type=content_type, body=body, expected=expected
    )
    return _Answer(test, response, best, tries)


def _invoke(
    hook: EndpointHook, deployment: Deployment, test: SmokeTest, variant: str, payload: bytes
) -> tuple[str, bytes]:
    """One answer; throttling and the service's own hiccups are tried again, the model's errors are not."""
    deadline, pause = time.monotonic() + _ANSWER_WITHIN, _PAUSE_SECONDS
    while True:
        try:
            answer = hook.runtime.invoke_endpoint(
                EndpointName=deployment.spec.endpoint_name,
                TargetVariant=variant,
                ContentType=test.content_type,
                Accept=test.accept,
                Body=payload,
            )
        except ClientError as error:
            passing = errors.code(error) != "ModelError" and errors.is_passing(error)
            if passing and time.monotonic() + pause < deadline:
                time.sleep(pause)
                pause *= 2
                continue
            raise ReleaseFailed(
                f"smoke test {test.name} on variant {variant}: {errors.code(error)}: "
                f"{errors.message(error)[:500]}; expected an answer"
            ) from error
        if (answered := answer.get("InvokedProductionVariant")) != variant:
            raise ReleaseFailed(f"smoke test {test.name}: answered by variant {answered}, expected {variant}")
        return answer.get("ContentType", ""), answer["Body"].read()


def _by_suite(answers: Iterable[_Answer]) -> dict[str, list[Response]]:
    suites: dict[str, list[Response]] = {}
    for answer in answers:
        if answer.test.expectations:
            suites.setdefault(answer.test.expectations, []).append(answer.response)
    return suites


def _judge(
    hook: EndpointHook, deployment: Deployment, relative: str, responses: list[Response], docs_key: str | None
) -> tuple[SuiteResult, str | None]:
    suite = deployment.file(relative)
    frame = predictions_frame(responses)
    title = f"Predictions of {deployment.spec.endpoint_name}"
    if docs_key is None:
        return run_suite(frame, suite, title=title), None
    prefix = f"{deployment.spec.aws.store.rstrip('/')}/data-docs/{docs_key}/{suite.stem}"
    return judge(hook.s3, frame, suite, prefix=prefix, title=title)


def _read(deployment: Deployment, relative: str) -> bytes:
    path = deployment.file(relative)
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(
            f"{deployment.source}: cannot read {path}: {error.strerror}; expected the file that "
            f"{relative!r} names, relative to the spec"
        ) from error
