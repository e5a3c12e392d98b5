"""Leaves a mark for each request in a directory, then answers at once, late or with an error."""

import os
import time
import uuid
from pathlib import Path


def model_fn(model_dir):
    return Path(os.environ["MARKS"])


def transform_fn(model, body, content_type, accept):
    (model / f"{os.environ['RELEASE']}-{uuid.uuid4()}").write_text(body)
    if os.environ.get("FAIL"):
        raise ValueError("this release fails")
    time.sleep(float(os.environ.get("DELAY", "0")))
    return os.environ["RELEASE"], "text/plain"
