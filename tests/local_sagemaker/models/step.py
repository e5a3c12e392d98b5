"""One step of a pipeline: says what it was given and names itself; fails when told to."""

import os


def model_fn(model_dir):
    return os.environ["STEP"]


def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    if text == f"fail {model}":
        raise ValueError(f"{model} was told to fail")
    return f"{text} > {model}:{content_type}", f"application/x-{model}"
