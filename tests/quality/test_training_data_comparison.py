"""The shipped comparison suite raises no false alarm: random halves of real data pass, whatever the seed."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from endpoint_deploy.quality.comparison import comparison_frame, parameters
from endpoint_deploy.quality.profile import profile_data
from endpoint_deploy.quality.suites import run_suite

SUITE = Path(__file__).parents[2] / "include" / "expectations" / "training-data-comparison.json"
DATA = {
    "breast cancer": (load_breast_cancer, True),
    "digits": (load_digits, True),
    "diabetes": (load_diabetes, False),
}
FRAMES = {name: (load(as_frame=True).frame, classes) for name, (load, classes) in DATA.items()}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", FRAMES)
def test_good_data_pass(name, seed):
    frame, classes = FRAMES[name]
    rng = np.random.default_rng(seed)
    order, cut = rng.permutation(len(frame)), int(len(frame) * rng.uniform(0.35, 0.6))
    old, new = frame.iloc[order[:cut]], frame.iloc[order[cut:]]
    reference, profile = (
        profile_data(rows, digest="d", target="target", classes=classes) for rows in (old, new)
    )
    table = comparison_frame(new, profile, reference)
    result = run_suite(table, SUITE, parameters=parameters(profile, reference), named_by="column")
    assert [failed.sentence() for failed in result.failed] == []
