"""Requests, errors and latency of the last minute, for a small picture of them."""

import math
import time
from typing import Any

from local_sagemaker.cloudwatch.endpoint_metrics import NAMESPACE
from local_sagemaker.cloudwatch.histogram import Histogram
from local_sagemaker.cloudwatch.metrics import Metrics, dimensions_of

STEP_SECONDS = 2.0
_STEPS = 30
_NOTHING = Histogram()


def rates(metrics: Metrics, endpoint: str, variant: str, config: str) -> dict[str, Any] | None:
    """Lists of `STEP_SECONDS` each, the newest last, and the whole minute's figures.

    Times are real, whatever the time scale. None when there was no request in that time.
    """
    named = dimensions_of({"EndpointName": endpoint, "VariantName": variant, "EndpointConfigName": config})
    # Whole steps: what was shown once does not change any more.
    end = math.floor(time.time() / STEP_SECONDS) * STEP_SECONDS
    start = end - _STEPS * STEP_SECONDS

    def steps(name: str) -> list[Histogram]:
        series = metrics.find((NAMESPACE, name, named))
        windows = series.read(start, end, STEP_SECONDS) if series else {}
        return [windows.get(step, _NOTHING) for step in range(_STEPS)]

    requests = [step.total for step in steps("Invocations")]
    total = sum(requests)
    if not total:
        return None
    failed = [step.total for step in steps("InvocationModelErrors")]
    latency = steps("ModelLatency")
    whole = Histogram()
    for step in latency:
        whole.merge(step)
    return {
        "requests": [count / STEP_SECONDS for count in requests],
        "errors": [bad / count if count else 0.0 for bad, count in zip(failed, requests, strict=True)],
        "p90_ms": [round(step.quantile(0.9) / 1000, 3) if step.count else None for step in latency],
        "per_second": total / (_STEPS * STEP_SECONDS),
        "error_share": sum(failed) / total,
        "p90": round(whole.quantile(0.9) / 1000, 3) if whole.count else None,
    }
