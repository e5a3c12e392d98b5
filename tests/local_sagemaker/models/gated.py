"""Loads when the file named by GATE appears: a start that takes as long as a test wants."""

import os
import time
from pathlib import Path


def model_fn(model_dir):
    while not Path(os.environ["GATE"]).exists():
        time.sleep(0.02)


def transform_fn(model, body, content_type, accept):
    return os.environ.get("RELEASE", "gated"), "text/plain"
