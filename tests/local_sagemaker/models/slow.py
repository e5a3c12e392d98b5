"""Sleeps for as many seconds as it is sent."""

import time


def model_fn(model_dir):
    return None


def transform_fn(model, body, content_type, accept):
    time.sleep(float(body))
    return "slept", "text/plain"
