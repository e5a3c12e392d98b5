"""Answers with its release, its process and what it was sent."""

import json
import os


def model_fn(model_dir):
    return os.environ.get("RELEASE", "none")


def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()


def predict_fn(data, model):
    return json.dumps({"release": model, "body": data, "pid": os.getpid()})


def output_fn(prediction, accept):
    return prediction, accept
