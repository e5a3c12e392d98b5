"""Predictions that do not meet expectations, counted as errors of each side."""

from collections.abc import Sequence

from endpoint_deploy.analysis.measure import predictions
from endpoint_deploy.analysis.replay import Replayed
from endpoint_deploy.core.analysis_spec import AnalysisSpec, JudgedErrorRate
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.judge.measurements import ErrorCounts, Measurement, RequestWindow, Unavailable
from endpoint_deploy.quality.unexpected import unexpected_rows


def unexpected(
    deployment: Deployment, analysis: AnalysisSpec, replays: Sequence[Replayed]
) -> dict[str, Measurement]:
    """The metrics of an analysis that are of a suite, by name."""
    return {
        metric.name: _counts(deployment, metric.expectations, replays)
        for metric in analysis.metrics
        if isinstance(metric, JudgedErrorRate) and metric.expectations
    }


def _counts(deployment: Deployment, relative: str, replays: Sequence[Replayed]) -> Measurement:
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    counted = []
    for side in ("candidate", "champion"):
        frame = pd.DataFrame(predictions(replays, side))
        if frame.empty:
            return ErrorCounts([])
        try:
            found = unexpected_rows(frame, deployment.file(relative))
        except EndpointDeployError as error:
            return Unavailable(str(error))
        if found.not_of_rows:
            return Unavailable(
                f"{relative} has {', '.join(found.not_of_rows)}, which tells nothing of single predictions; "
                "expected expectations of values only"
            )
        counted += [len(frame), len(found.rows)]
    return ErrorCounts([RequestWindow(*counted)])
