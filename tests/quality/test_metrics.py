"""Metrics of candidate and champion: scikit-learn's values, and intervals that keep what they promise."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from endpoint_deploy.core.evaluation_spec import EvaluationSpec
from endpoint_deploy.core.retrain import MetricResult
from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.quality import weighted
from endpoint_deploy.quality.bootstrap import label_interval, row_interval
from endpoint_deploy.quality.evaluated import evaluated_frame
from endpoint_deploy.quality.metrics import measure

LABELS = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
NUMBERS = ("mae", "rmse", "r2")


def evaluation(*names: str, positive: Any = None, confidence: float = 0.95) -> EvaluationSpec:
    return EvaluationSpec.model_validate(
        {
            "data": "s3://bucket/held-out",
            "instance_type": "ml.m5.large",
            "prediction": "label",
            "score": "score",
            "positive": positive,
            "confidence": confidence,
            "metrics": [{"name": name, "margin": 0.01} for name in names],
        }
    )


def frame(truth: Any, candidate: Any, champion: Any = None, **scores: Any) -> pd.DataFrame:
    columns = {"row": range(len(truth)), "truth": truth, "candidate": candidate, "champion": champion}
    table = pd.DataFrame(
        {name: values for name, values in {**columns, **scores}.items() if values is not None}
    )
    return evaluated_frame(table.to_csv(index=False).encode())


def only(frame: pd.DataFrame, name: str, **more: Any) -> MetricResult:
    (result,) = measure(frame, evaluation(name, **more), compared=frame["champion"].notna().all())
    return result


def noisy(rng: np.random.Generator, truth: Any, error: float, classes: int = 2) -> Any:
    """Labels that are wrong for this share of the rows."""
    wrong = (truth + rng.integers(1, classes, len(truth))) % classes
    return np.where(rng.random(len(truth)) < error, wrong, truth)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("name", LABELS)
def test_label_metrics_are_scikit_learns(name: str, classes: int) -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes, 200)
    candidate, champion = noisy(rng, truth, 0.2, classes), noisy(rng, truth, 0.3, classes + 1)
    average = {} if name.endswith("accuracy") else {"average": "macro", "zero_division": 0.0}

    result = only(frame(truth, candidate, champion), name)

    score = getattr(sk, f"{name}_score")
    assert result.candidate == pytest.approx(score(truth, candidate, **average))
    with warnings.catch_warnings(action="ignore"):  # the champion names a class that there is not
        assert result.champion == pytest.approx(score(truth, champion, **average))
    assert result.gain == pytest.approx(result.candidate - result.champion)
    assert result.gain_low < result.gain < result.gain_high


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_of_a_binary_target_the_positive_class_counts(name: str) -> None:
    rng = np.random.default_rng(2)
    truth = rng.choice(["churned", "stayed"], 200, p=[0.2, 0.8])
    candidate, champion = (
        np.where(rng.random(200) < error, rng.permutation(truth), truth) for error in (0.2, 0.4)
    )

    result = only(frame(truth, candidate, champion), name, positive="churned")

    assert result.candidate == pytest.approx(
        getattr(sk, f"{name}_score")(truth, candidate, pos_label="churned")
    )
    assert result.gain_low < result.gain < result.gain_high


@pytest.mark.parametrize("name", ["roc_auc", "log_loss"])
def test_metrics_of_scores_are_scikit_learns(name: str) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 150)
    good = np.round(np.clip(0.5 + (truth - 0.5) * 0.6 + rng.normal(0, 0.2, 150), 0.01, 0.99), 2)  # has ties
    poor = np.round(np.clip(0.5 + (truth - 0.5) * 0.2 + rng.normal(0, 0.2, 150), 0.01, 0.99), 2)
    table = frame(truth, truth, truth, candidate_score=good, champion_score=poor)

    result = only(table, name, positive=1)

    score = sk.roc_auc_score if name == "roc_auc" else sk.log_loss
    assert result.candidate == pytest.approx(score(truth, good))
    assert result.champion == pytest.approx(score(truth, poor))
    assert 0 < result.gain_low < result.gain < result.gain_high


@pytest.mark.parametrize("name", NUMBERS)
def test_metrics_of_numbers_are_scikit_learns_and_a_gain_is_better(name: str) -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(1e6, 10, 150)
    good, poor = truth + rng.normal(0, 1, 150), truth + rng.normal(0, 5, 150)

    result = only(frame(truth, good, poor), name)

    score = {"mae": sk.mean_absolute_error, "rmse": sk.root_mean_squared_error, "r2": sk.r2_score}[name]
    assert result.candidate == pytest.approx(score(truth, good), rel=1e-9)
    assert result.champion == pytest.approx(score(truth, poor), rel=1e-9)
    assert 0 < result.gain_low < result.gain < result.gain_high


def test_the_same_class_may_be_written_in_several_ways() -> None:
    truth = ["1", "0", "True", "class a"] * 5
    answered = ["1.0", "0.0", "true", "class a"] * 5

    assert only(frame(truth, answered), "accuracy").candidate == 1


def test_without_a_champion_there_is_nothing_to_compare() -> None:
    result = only(frame([0, 1] * 10, [0, 1] * 10), "accuracy")

    assert (result.champion, result.gain, result.gain_low, result.gain_high) == (None, None, None, None)


def test_the_same_rows_have_the_same_interval() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 60)
    table = frame(truth, noisy(rng, truth, 0.1), noisy(rng, truth, 0.1))

    assert only(table, "f1", positive=1) == only(table, "f1", positive=1)


@pytest.mark.parametrize(
    ("name", "truth", "reason"),
    [
        ("roc_auc", [1] * 12, "the truth is 1 in each of 12 held-out rows"),
        ("roc_auc", [0] * 12, "none of 12 held-out rows is of evaluation.positive"),
        ("recall", [0] * 12, "none of 12 held-out rows is of evaluation.positive"),
        ("r2", [3] * 12, "r2 is not defined: the truth is 3 in each"),
    ],
)
def test_a_metric_without_a_value_says_why(name: str, truth: list[int], reason: str) -> None:
    table = frame(truth, truth, truth, candidate_score=[0.5] * 12, champion_score=[0.5] * 12)

    with pytest.raises(EndpointDeployError, match=reason):
        only(table, name, positive=1)


def test_classes_that_resamples_miss_do_no_harm() -> None:
    truth = np.array([2] + [0, 1] * 15)
    candidate, champion = truth.copy(), truth.copy()
    champion[1:5] = 2

    for name in ("balanced_accuracy", "precision", "recall", "f1"):
        result = only(frame(truth, candidate, champion), name)
        assert result.gain_low < result.gain < result.gain_high
        assert np.isfinite([result.gain_low, result.gain_high]).all()


def test_agreement_on_few_rows_is_little_proof_and_on_many_it_is_much() -> None:
    widths = {}
    for rows in (20, 200, 2000):
        truth = np.arange(rows) % 2
        result = only(frame(truth, truth, truth), "accuracy")
        assert result.gain == 0
        widths[rows] = result.gain_high - result.gain_low

    assert widths[20] > 0.1
    assert 0.01 < widths[200] < 0.03
    assert 0 < widths[2000] < 0.003


TRIALS = 200
ROWS = 400
Interval = tuple[float, float]


def trials(metric: Any, paired: Any, draw: Any) -> list[Interval]:
    """The interval of as many experiments; `draw` makes truth, candidate and champion of one."""
    rng = np.random.default_rng(20_261_121)
    return [paired(metric, *draw(rng), confidence=0.95) for _ in range(TRIALS)]


def labels(error: float, worse: float) -> Any:
    def draw(rng: np.random.Generator) -> Any:
        truth = rng.integers(0, 3, ROWS)
        return truth, noisy(rng, truth, error + worse, 3), noisy(rng, truth, error, 3)

    return draw


def refused(intervals: list[Interval], margin: float) -> float:
    """The share of the experiments in which the gate refuses the candidate."""
    return sum(low < -margin for low, _ in intervals) / len(intervals)


def covered(intervals: list[Interval], gain: float) -> float:
    """The share of the experiments whose interval holds the true difference."""
    return sum(low <= gain <= high for low, high in intervals) / len(intervals)


@pytest.fixture(scope="module")
def worse_by_the_margin() -> list[Interval]:
    return trials(weighted.accuracy, label_interval, labels(0.10, 0.05))


def test_an_interval_holds_the_true_difference_as_often_as_it_says(
    worse_by_the_margin: list[Interval],
) -> None:
    assert 0.92 <= covered(worse_by_the_margin, -0.05) <= 0.98


def test_a_model_that_is_worse_by_the_margin_passes_as_rarely_as_the_confidence_says(
    worse_by_the_margin: list[Interval],
) -> None:
    # One end of the interval decides, so half of what is left of the confidence: 2.5 %.
    assert refused(worse_by_the_margin, margin=0.05) >= 0.95


def test_an_interval_of_f1_holds_the_true_difference_as_often_as_it_says() -> None:
    intervals = trials(weighted.macro_f1, label_interval, labels(0.10, 0.05))

    assert 0.92 <= covered(intervals, -0.05) <= 0.98


@pytest.mark.parametrize("rows", [15, 100])
def test_an_interval_of_numbers_holds_the_true_difference_as_often_as_it_says(rows: int) -> None:
    def draw(rng: np.random.Generator) -> Any:
        truth = rng.normal(0, 1, rows)
        return truth, truth + rng.normal(0, 1.0, rows), truth + rng.normal(0, 0.5, rows)

    intervals = trials(weighted.mae, row_interval, draw)

    assert 0.91 <= covered(intervals, 0.5 * np.sqrt(2 / np.pi)) <= 0.985


def test_models_as_good_as_each_other_are_rarely_refused() -> None:
    # Errors of 10 % each: the difference on 400 rows deviates by 0.021, of which the margin is 2 x 1.96.
    assert refused(trials(weighted.accuracy, label_interval, labels(0.10, 0)), margin=0.083) <= 0.05


def test_a_model_that_is_clearly_worse_is_refused() -> None:
    assert refused(trials(weighted.accuracy, label_interval, labels(0.10, 0.15)), margin=0.01) >= 0.95
