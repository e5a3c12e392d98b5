"""Answers when the file exists whose path it is sent; at once when it is sent no path."""

import time
from pathlib import Path


def model_fn(model_dir):
    return None


def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    while text.startswith("/") and not Path(text).exists():
        time.sleep(0.02)
    return "done", "text/plain"
