"""Reads and sets headers through the context, as multi-model-server's handlers can."""


def model_fn(model_dir, context):
    return context.system_properties["model_dir"]


def input_fn(body, content_type):
    return body


def predict_fn(data, model, context):
    context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "seen")
    return context.get_request_header(0, "x-amzn-sagemaker-custom-attributes") or "nothing"


def output_fn(prediction, accept):
    return prediction, "text/plain"
