"""Metrics of candidate and champion on the same rows, with a confidence interval of their difference."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from endpoint_deploy.core.evaluation_spec import EvaluationSpec, MetricGate
from endpoint_deploy.core.metric_gate import same_label
from endpoint_deploy.core.prediction_gate import LABEL_METRICS, SCORE_METRICS
from endpoint_deploy.core.retrain import MetricResult
from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.quality import weighted
from endpoint_deploy.quality.bootstrap import label_interval, row_interval

if TYPE_CHECKING:
    import pandas as pd

Array = Any  # of NumPy, of whatever kind the metric takes


@dataclass(frozen=True)
class _Metric:
    """A metric and what it is computed from: `point` is scikit-learn's, `weighted` the same for resamples."""

    point: Callable[[Array, Array], Any]
    weighted: Callable[[Array, Array, Array], Array]
    truth: Array
    candidate: Array
    champion: Array  # None without one
    labels: bool

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """Of candidate - champion."""
        paired = label_interval if self.labels else row_interval
        return paired(self.weighted, self.truth, self.candidate, self.champion, confidence=confidence)


def measure(frame: "pd.DataFrame", evaluation: EvaluationSpec, *, compared: bool) -> tuple[MetricResult, ...]:
    """Every metric of the spec on a table of predictions that has passed its suite (quality/evaluated.py).

    compared: whether the champion's columns are filled. Raises EndpointDeployError where the held-out rows
    have no value of a metric.
    """
    return tuple(_measured(frame, evaluation, gate, compared=compared) for gate in evaluation.metrics)


def _measured(
    frame: "pd.DataFrame", evaluation: EvaluationSpec, gate: MetricGate, *, compared: bool
) -> MetricResult:
    metric = _metric(frame, evaluation, gate.name, compared=compared)
    candidate = float(metric.point(metric.truth, metric.candidate))
    if not compared:
        return MetricResult(name=gate.name, candidate=candidate, margin=gate.margin)
    champion = float(metric.point(metric.truth, metric.champion))
    sign = 1 if gate.higher_is_better else -1
    bounds = metric.interval(evaluation.confidence)
    low, high = sorted(sign * bound for bound in bounds) if bounds else (None, None)
    return MetricResult(
        name=gate.name,
        candidate=candidate,
        champion=champion,
        gain=sign * (candidate - champion),
        gain_low=low,
        gain_high=high,
        margin=gate.margin,
    )


def _metric(frame: "pd.DataFrame", evaluation: EvaluationSpec, name: str, *, compared: bool) -> _Metric:
    if name in LABEL_METRICS:
        return _label_metric(frame, evaluation, name, compared=compared)
    if name in SCORE_METRICS:
        return _score_metric(frame, evaluation, name, compared=compared)
    from sklearn import metrics  # noqa: PLC0415 - costs a second

    points = {
        "mae": metrics.mean_absolute_error,
        "rmse": metrics.root_mean_squared_error,
        "r2": metrics.r2_score,
    }
    truth, *models = (frame[column].astype(float).to_numpy() for column in _columns("", compared=compared))
    if name == "r2" and not truth.std():
        raise EndpointDeployError(
            f"r2 is not defined: the truth is {truth[0]:g} in each of {len(truth)} held-out rows"
        )
    return _Metric(points[name], getattr(weighted, name), truth, *_both(models), labels=False)


def _label_metric(frame: "pd.DataFrame", evaluation: EvaluationSpec, name: str, *, compared: bool) -> _Metric:
    import numpy as np  # noqa: PLC0415 - not for a DAG's parse
    from sklearn import metrics  # noqa: PLC0415 - costs a second

    labels = [frame[column].to_numpy(str) for column in _columns("_class", compared=compared)]
    if name == "accuracy":  # nothing but right and wrong counts
        truth, *models = [(each == labels[0]).astype(int) for each in labels]
        return _Metric(metrics.accuracy_score, weighted.accuracy, truth, *_both(models), labels=True)
    _, codes = np.unique(labels, return_inverse=True)
    truth, *models = codes.reshape(len(labels), -1)
    if name == "balanced_accuracy":
        # Of the classes of the truth, as balanced_accuracy_score, which warns where a model names others.
        point = partial(metrics.recall_score, labels=np.unique(truth), average="macro")
        return _Metric(point, weighted.balanced_accuracy, truth, *_both(models), labels=True)
    point = getattr(metrics, f"{name}_score")
    if evaluation.positive is None:
        point = partial(point, average="macro", zero_division=0.0)
        return _Metric(point, getattr(weighted, f"macro_{name}"), truth, *_both(models), labels=True)
    positive = same_label(str(evaluation.positive))
    truth, *models = [(each == positive).astype(int) for each in labels]
    _need_positive(name, evaluation, truth)
    point = partial(point, pos_label=1, zero_division=0.0)
    return _Metric(point, getattr(weighted, name), truth, *_both(models), labels=True)


def _score_metric(frame: "pd.DataFrame", evaluation: EvaluationSpec, name: str, *, compared: bool) -> _Metric:
    from sklearn import metrics  # noqa: PLC0415 - costs a second

    truth = (frame["truth_class"] == same_label(str(evaluation.positive))).to_numpy(int)
    models = [frame[c].astype(float).to_numpy() for c in _columns("_score", compared=compared)[1:]]
    _need_positive(name, evaluation, truth)
    if truth.all() and name == "roc_auc":
        raise EndpointDeployError(
            f"roc_auc is not defined: the truth is {evaluation.positive!r} in each of {len(truth)} held-out "
            "rows; expected rows of both classes in evaluation.data"
        )
    point = metrics.roc_auc_score if name == "roc_auc" else partial(metrics.log_loss, labels=[0, 1])
    return _Metric(point, getattr(weighted, name), truth, *_both(models), labels=False)


def _columns(suffix: str, *, compared: bool) -> list[str]:
    models = ["candidate", "champion"] if compared else ["candidate"]
    return [f"{column}{suffix}" for column in ("truth", *models)]


def _both(models: list[Array]) -> tuple[Array, Array]:
    return models[0], models[1] if models[1:] else None


def _need_positive(name: str, evaluation: EvaluationSpec, truth: Array) -> None:
    if not truth.any():
        raise EndpointDeployError(
            f"{name} is not defined: none of {len(truth)} held-out rows is of evaluation.positive, "
            f"{evaluation.positive!r}; expected rows of it in evaluation.data"
        )
