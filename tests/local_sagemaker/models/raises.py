"""A model whose code fails on every prediction."""


def model_fn(model_dir):
    return None


def predict_fn(data, model):
    raise ValueError("no such feature")
