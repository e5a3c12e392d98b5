"""A model that blames the request."""

from sagemaker_inference.errors import BaseInferenceToolkitError


def model_fn(model_dir):
    return None


def predict_fn(data, model):
    raise BaseInferenceToolkitError(400, "bad rows", "Bad Request")
