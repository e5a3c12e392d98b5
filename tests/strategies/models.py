"""Models that pass the smoke test at weight 0 and go wrong on real traffic, each in its own way."""

import json
from typing import Any

from tests.deploy.rig import Rig

REAL = 100.0  # a request with a number of at least as much comes from a client, not from a smoke test

# What a model does is in its model.json, so that one code serves good and bad ones. The blanks after an
# answer's JSON are as many as its release's number: clients see which release has answered, and no measure of
# predictions does. An error's message says it in words.
CODE = """
import json, os, random, threading, time
seen, lock = [], threading.Lock()
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.json")) as file: return json.load(file)
def input_fn(body, content_type): return json.loads(body)
def predict_fn(numbers, model):
    real = max(numbers) >= 100.0
    if real:
        with lock: seen.append(time.monotonic())
    if real and len(seen) > model["after_requests"] and time.monotonic() - seen[0] >= model["after_seconds"]:
        if model["goes"] == "dies": os._exit(7)
        if random.random() < model["share"]:
            if model["goes"] == "raises": raise ValueError("release %d: no such feature" % model["release"])
            if model["goes"] == "slow": time.sleep(model["late_seconds"])
            if model["goes"] == "wrong": return [2 * n + 7 for n in numbers], model
    return [n + 1 for n in numbers], model
def output_fn(answer, accept):
    numbers, model = answer
    return json.dumps(numbers) + " " * model["release"], accept
"""

GOOD = "good"
BAD = ("raises", "slow", "wrong", "dies")


def upload(
    rig: Rig,
    goes: str,
    release: int,
    *,
    share: float = 1.0,
    late_seconds: float = 0.3,
    after_requests: int = 0,
    after_seconds: float = 0.0,
) -> str:
    """Upload a model and return its address.

    goes: `good`, or how it goes wrong: it `raises`, is `slow` (answers `late_seconds` late), `wrong` (status
    200) or `dies` (its process ends). release: the number by which the traffic tells its answers. It goes
    wrong on a `share` of the real requests, as soon as its process has seen more than `after_requests` of
    them and `after_seconds` have passed since the first.
    """
    said: dict[str, Any] = {
        "goes": goes,
        "release": release,
        "share": share,
        "late_seconds": late_seconds,
        "after_requests": after_requests,
        "after_seconds": after_seconds,
    }
    return rig.artifact(
        "good", release, **{"model.json": json.dumps(said).encode(), "code/inference.py": CODE.encode()}
    )
