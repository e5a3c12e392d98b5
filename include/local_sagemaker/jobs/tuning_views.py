"""A tuning job's training jobs as the API shows them."""

from collections.abc import Sequence
from typing import Any

from local_sagemaker.jobs.records import Job
from local_sagemaker.jobs.training import times
from local_sagemaker.jobs.tuning_plan import TuningPlan

_TIMES = ("TrainingStartTime", "TrainingEndTime")


def objective(job: Job) -> float | None:
    """The final value of the objective metric; None if the job has not put it out, or has failed."""
    found = job.details.get("metrics", {}).get(job.details["tuned"]["metric"])
    return None if found is None or job.status == "Failed" else float(found[0])


def objective_status(job: Job) -> str:
    """What became of the objective: Pending until the job is over."""
    if job.unfinished:
        return "Pending"
    return "Failed" if objective(job) is None else "Succeeded"


def best(jobs: Sequence[Job]) -> Job | None:
    """The job with the best objective of those that are over."""
    judged = [job for job in jobs if objective_status(job) == "Succeeded"]
    return max(judged, key=_rank, default=None)


def _rank(job: Job) -> tuple[float, float]:
    """Higher is better; of equals the earlier job."""
    value = objective(job) or 0.0
    return (value if job.details["tuned"]["maximize"] else -value, -job.created)


def counters(jobs: Sequence[Job]) -> dict[str, Any]:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    statuses = dict.fromkeys(("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
    objectives = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
    for job in jobs:
        statuses[_counted_as(job)] += 1
        objectives[objective_status(job)] += 1
    return {"TrainingJobStatusCounters": statuses, "ObjectiveStatusCounters": objectives}


def training_summary(job: Job, tuning: str) -> dict[str, Any]:
    """One training job, in a list or as the best."""
    tuned = job.details["tuned"]
    shown: dict[str, Any] = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "TuningJobName": tuning,
        "CreationTime": job.created,
        "TrainingJobStatus": job.status,
        "TunedHyperParameters": tuned["values"],
        "ObjectiveStatus": objective_status(job),
        **{name: value for name, value in times(job).items() if name in _TIMES},
    }
    if tuned["definition"] is not None:
        shown["TrainingJobDefinitionName"] = tuned["definition"]
    if job.failure_reason is not None:
        shown["FailureReason"] = job.failure_reason
    value = objective(job)
    if value is not None:
        shown["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": "Maximize" if tuned["maximize"] else "Minimize",
            "MetricName": tuned["metric"],
            "Value": value,
        }
    return shown


def reached(plan: TuningPlan, jobs: Sequence[Job]) -> bool:
    """Whether the tuning job's completion criteria are met."""
    leader = best(jobs)
    if leader is None:
        return False
    value = objective(leader) or 0.0
    if plan.target is not None:
        return value >= plan.target if leader.details["tuned"]["maximize"] else value <= plan.target
    return plan.patience is not None and not_improving(jobs) >= plan.patience


def not_improving(jobs: Sequence[Job]) -> int:
    """How many training jobs ended since the best value last improved, by at least 1 %."""
    count, leading = 0, None
    over = [job for job in jobs if objective_status(job) == "Succeeded"]
    for job in sorted(over, key=lambda each: each.ended or 0.0):
        rank = _rank(job)[0]
        if leading is None or rank > leading + abs(leading) * 0.01:
            count, leading = 0, rank
        else:
            count += 1
    return count


def _counted_as(job: Job) -> str:
    if job.unfinished:
        return "InProgress"
    if job.status == "Failed":
        internal = (job.failure_reason or "").startswith("InternalServerError")
        return "RetryableError" if internal else "NonRetryableError"
    return job.status
