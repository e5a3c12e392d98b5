"""Leaves all but loading to the framework images' defaults: JSON in, model.predict, JSON out."""

import numpy as np


class Doubles:
    def predict(self, rows):
        return np.asarray(rows) * 2


def model_fn(model_dir):
    return Doubles()
