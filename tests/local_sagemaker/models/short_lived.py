"""Loads, notes when, and ends soon after."""

import os
import threading
import time
from pathlib import Path


def model_fn(model_dir):
    with Path(os.environ["LOADS"]).open("a") as loads:
        loads.write(f"{time.monotonic()}\n")
    threading.Timer(0.3, os._exit, [9]).start()


def transform_fn(model, body, content_type, accept):
    return body, "text/plain"
