"""Ten thousand rows through a model of scikit-learn: the predictions are those it gives offline."""

import io
import json
from typing import Any

import numpy as np
import pytest

from tests.batch.rig import BatchRig, json_sums, sums
from tests.deploy.rig import AS_IN_PRODUCTION

pytestmark = AS_IN_PRODUCTION

_FEATURES = 4
_INFERENCE = """
import io, json, os
import joblib
import numpy as np

def model_fn(model_dir): return joblib.load(os.path.join(model_dir, "model.joblib"))

def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == "application/json": return np.ones((len(json.loads(text)), 4))
    return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)

def predict_fn(rows, model):
    if (rows > 1e5).any(): raise ValueError("a feature is beyond all I have seen")
    return model.predict_proba(rows)[:, 1]

def output_fn(scores, accept):
    if accept == "application/json": return json.dumps(scores.tolist()), accept
    return "".join(json.dumps({"score": score}) + "\\n" for score in scores.tolist()), accept
"""


@pytest.fixture(scope="module")
def model() -> Any:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(7)
    rows = rng.normal(size=(500, _FEATURES))
    return LogisticRegression().fit(rows, rows.sum(axis=1) + rng.normal(size=500) > 0)


@pytest.fixture(scope="module")
def files() -> dict[str, np.ndarray]:
    """10,601 rows in seven files of very different lengths."""
    rng = np.random.default_rng(8)
    counts = (4000, 3000, 2000, 1000, 500, 100, 1)
    return {
        f"day={number}/rows.csv": rng.normal(size=(count, _FEATURES)) for number, count in enumerate(counts)
    }


def as_csv(rows: np.ndarray) -> bytes:
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()).encode()


def test_every_row_is_predicted_as_offline_and_one_file_the_model_refuses_is_named(
    released: BatchRig, model: Any, files: dict[str, np.ndarray]
) -> None:
    import joblib

    rig, stored = released, io.BytesIO()
    joblib.dump(model, stored)
    made = {"model.joblib": stored.getvalue(), "code/inference.py": _INFERENCE.encode()}
    rig.fresh(instances=2, max_concurrent=4, max_payload_mb=1)
    assert rig.run("deploy", artifact=rig.artifact("sklearn", 2, **made)).outcome == "released"
    refused = as_csv(np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 1e6, 0.0, 0.0]]))
    bodies = {key: as_csv(rows) for key, rows in files.items()}
    rig.put({**bodies, "beyond.csv": refused})
    run = rig.transform()
    assert (run.state, run.outcome) == ("failed", "partial"), run
    assert "beyond.csv: found" in run.result["reason"]
    assert "a feature is beyond all I have seen" in run.result["reason"]
    found = rig.delivered(run)
    assert set(found) == set(files)
    for key, rows in files.items():
        scores = [json.loads(line)["score"] for line in found[key].splitlines()]
        assert len(scores) == len(rows)
        np.testing.assert_allclose(scores, model.predict_proba(rows)[:, 1], rtol=1e-12)
    assert sum(file["rows"] for file in rig.delivery(run)["files"]) == 10_601

    # The first release's model still predicts as it did.
    old = rig.transform(release=1)
    assert old.outcome == "delivered", old
    assert rig.delivery(old)["release"] == 1
    predicted = rig.delivered(old)
    assert set(predicted) == {*files, "beyond.csv"}
    for key, body in {**bodies, "beyond.csv": refused}.items():
        np.testing.assert_allclose(json_sums(predicted[key]), sums(body, 1), rtol=1e-12)
    assert rig.transform(release=1).outcome == "nothing_to_do"
