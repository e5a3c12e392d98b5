"""Early stopping of training jobs that do worse than those before them (TrainingJobEarlyStoppingType)."""

import statistics
from collections.abc import Sequence

from local_sagemaker.jobs.records import Job

CHECK_SECONDS = 0.5
# The guide names no number of earlier jobs below which none is stopped; a median of fewer says little.
EARLIER_JOBS = 3


def lags(job: Job, others: Sequence[Job]) -> bool:
    """Whether a running job is to be stopped.

    It is when its last objective value is worse than the median of the running averages that earlier jobs
    had after as many values (the guide, Stop Training Jobs Early).
    """
    values = job.details.get("series", [])
    averages = [
        statistics.fmean(earlier[: len(values)])
        for other in others
        if not other.unfinished and len(earlier := other.details.get("series", [])) >= len(values)
    ]
    if not values or len(averages) < EARLIER_JOBS:
        return False
    median = statistics.median(averages)
    return bool(values[-1] < median if job.details["tuned"]["maximize"] else values[-1] > median)
