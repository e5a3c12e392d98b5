"""One prediction a row, the sum of its numbers; a row of one word does what the word says."""

import os
import time

from sagemaker_inference.errors import BaseInferenceToolkitError


def model_fn(model_dir):
    return None


def transform_fn(model, body, content_type, accept):
    for line in body.splitlines():
        if line == "refuse":
            raise BaseInferenceToolkitError(400, "bad row", "Bad Request")
        if line == "fail":
            raise ValueError("no such row")
        if line == "die":
            os._exit(7)
        if line == "wait":
            time.sleep(3600)
    sums = [f"{sum(map(float, line.split(','))):g}" for line in body.splitlines()]
    return "\n".join(sums) + "\n" * body.endswith("\n"), accept
