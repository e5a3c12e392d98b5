"""Streams its answer: so many parts, a part and then an error, or parts with a wait for a file between."""

import time
from pathlib import Path


def model_fn(model_dir):
    return None


def _parts(told):
    what, _, argument = told.partition(" ")
    if what == "count":
        yield from (f"part {number}\n" for number in range(int(argument)))
    elif what == "break":
        yield "a part"
        raise RuntimeError("the model broke off")
    elif what == "gate":
        yield "before"
        while not Path(argument).exists():
            time.sleep(0.01)
        yield "after"
    elif what == "forever":
        while True:
            Path(argument).touch()
            yield "more"
            time.sleep(0.02)


def transform_fn(model, body, content_type, accept):
    if body == "refuse":
        raise ValueError("nothing to stream")
    return _parts(body), "text/plain"
