"""Starts processes of its own, a program and a copy of itself; both outlast it unless they are ended."""

import json
import os
import subprocess
import time


def model_fn(model_dir):
    program = subprocess.Popen(["sleep", "600"]).pid
    copy = os.fork()
    if copy == 0:
        time.sleep(600)
        os._exit(0)
    return [os.getpid(), program, copy]


def transform_fn(model, body, content_type, accept):
    if body == "die":
        os._exit(7)
    return json.dumps(model), "application/json"
