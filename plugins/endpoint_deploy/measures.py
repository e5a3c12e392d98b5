"""What is counted and timed of releases, retrainings, batches and the sentinel: Airflow's own metrics.

They go wherever Airflow's go: to StatsD, Datadog or OpenTelemetry, as `[metrics]` of its configuration says.
Outcomes stand in the names, since plain StatsD knows no tags; which deployment it was stands in a tag.
"""

from datetime import timedelta

from endpoint_deploy.airflow_versions import stats
from endpoint_deploy.core.batch import BatchRecord
from endpoint_deploy.core.record import RunRecord
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.retrain import RetrainRecord

_ROOT = "endpoint_deploy"


def count_release(release: Release) -> None:
    """`release.<outcome>`, `release.duration`, `phase.<task>`, and `verdict.<verdict>` of its analyses."""
    _count_run("release", release.outcome, release, kind=release.kind)
    for task in ("shift_traffic", "watch"):
        for stage in (release.evidence.get(task) or {}).get("stages", ()):
            for said in stage.get("said", ()):
                word = str(said["verdict"]).lower().replace(" ", "_")
                stats.incr(f"{_ROOT}.verdict.{word}", tags={"deployment": release.deployment})


def count_retrain(record: RetrainRecord) -> None:
    """`retrain.<outcome>`, `retrain.duration` and `phase.<task>`."""
    _count_run("retrain", record.outcome, record)


def count_batch(record: BatchRecord) -> None:
    """`batch.<outcome>`, `batch.duration` and `phase.<task>`."""
    _count_run("batch", record.outcome, record)


def count_drift(deployment: str, findings: int) -> None:
    """`drift.<deployment>`: how much is not as it was released, now."""
    stats.gauge(f"{_ROOT}.drift.{deployment}", findings, tags={"deployment": deployment})


def _count_run(what: str, outcome: str, record: RunRecord, **more: str) -> None:
    tags = {"deployment": record.deployment, **more}
    stats.incr(f"{_ROOT}.{what}.{outcome}", tags=tags)
    stats.timing(f"{_ROOT}.{what}.duration", timedelta(seconds=record.seconds), tags=tags)
    for task, seconds in record.phases.items():
        stats.timing(f"{_ROOT}.phase.{task}", timedelta(seconds=seconds), tags=tags)
