"""A model that does not start."""


def model_fn(model_dir):
    raise RuntimeError("weights are missing")
