"""Opens and closes sessions through the headers of its answers, and tells its process."""

import os
import uuid


def model_fn(model_dir, context):
    return None


def input_fn(body, content_type):
    return body


def predict_fn(data, model, context):
    if data == "open":
        value = f"{uuid.uuid4()}; Expires=2099-01-01T00:00:00Z"
        context.set_response_header(0, "X-Amzn-SageMaker-New-Session-Id", value)
    if data == "close":
        session = context.get_request_header(0, "x-amzn-sagemaker-session-id")
        context.set_response_header(0, "X-Amzn-SageMaker-Closed-Session-Id", session)
    return str(os.getpid())


def output_fn(prediction, accept):
    return prediction, "text/plain"
