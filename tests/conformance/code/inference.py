"""The one model of this suite: what it does follows from what it is sent and from its environment.

It is loaded by SageMaker's scikit-learn image as by the local SageMaker, and needs nothing but Python.
"""

import json
import os
import time


def model_fn(model_dir):
    if os.environ.get("FAIL_TO_LOAD"):
        raise RuntimeError("weights are missing")
    return os.environ.get("RELEASE", "none")


def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()


def predict_fn(text, release):
    command, _, argument = text[:100].partition(" ")
    if command == "raise":
        raise ValueError(argument)
    if command == "sleep":
        time.sleep(float(argument))
    return {"release": release, "length": len(text)}


def output_fn(prediction, accept):
    return json.dumps(prediction), accept
