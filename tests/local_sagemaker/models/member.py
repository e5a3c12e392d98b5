"""One of a multi-model container's models: names itself by the file it was trained into."""

import os
import time
from pathlib import Path


def model_fn(model_dir):
    gate = Path(model_dir, "gate.txt")
    while gate.exists() and not Path(gate.read_text()).exists():
        time.sleep(0.02)
    return Path(model_dir, "name.txt").read_text()


def transform_fn(model, body, content_type, accept):
    if body == "die":
        os._exit(3)
    return f"{model} {os.getpid()}", "text/plain"
