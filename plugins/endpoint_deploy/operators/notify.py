"""What is said of a fact to those who asked for it: one message each."""

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.batch import BatchRecord
from endpoint_deploy.core.fields import Notice
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.retrain import RetrainRecord
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.measures import count_batch, count_release, count_retrain
from endpoint_deploy.notifiers import Message, links_to, send


def notify(hook: EndpointHook, spec: DeploymentSpec, release: Release) -> None:
    """Count how a release ended, and tell."""
    count_release(release)
    said = release.failure.message if release.failure else f"serves {release.config_after}"
    subject = f"{release.endpoint}: {release.outcome.replace('_', ' ')} (release {release.sequence})"
    body = (
        f"{subject}\n{said}\nartifact: {release.artifact}\nsha256: {release.artifact_sha256}\n"
        f"run: {release.run.dag_id} {release.run.run_id}\nafter {release.seconds:.0f} s"
    )
    links = tuple(links_to(spec, release.run, release=release.sequence))
    send(hook, spec, release.outcome, Message(subject, body, links))


def notify_retrain(hook: EndpointHook, spec: DeploymentSpec, record: RetrainRecord) -> None:
    """Count how a retraining ended, and tell."""
    count_retrain(record)
    notice: Notice = "retrain_failed" if record.outcome == "failed" else record.outcome
    subject = f"{record.endpoint}: {notice.replace('_', ' ')} (retraining {record.sequence})"
    docs = "".join(f"\nData Docs of {task}: {uri}" for task, uri in record.data_docs.items())
    body = (
        f"{subject}\n{record.reason}\nmodel package: {record.package.arn if record.package else None}\n"
        f"run: {record.run.dag_id} {record.run.run_id}\nafter {record.seconds:.0f} s{docs}"
    )
    send(hook, spec, notice, Message(subject, body, tuple(links_to(spec, record.run))))


_OF_BATCHES: dict[str, Notice] = {
    "delivered": "batch_delivered",
    "partial": "batch_partial",
    "failed": "batch_failed",
}


def notify_batch(hook: EndpointHook, spec: DeploymentSpec, record: BatchRecord) -> None:
    """Count how a batch transform ended, and tell."""
    count_batch(record)
    notice = _OF_BATCHES[record.outcome]
    subject = f"{record.endpoint}: {notice.replace('_', ' ')} (batch {record.sequence})"
    body = (
        f"{subject}\n{record.reason}\ninput: {record.input}\npredictions: {record.delivered}\n"
        f"run: {record.run.dag_id} {record.run.run_id}\nafter {record.seconds:.0f} s"
    )
    send(hook, spec, notice, Message(subject, body, tuple(links_to(spec, record.run))))


def tell(
    hook: EndpointHook,
    spec: DeploymentSpec,
    notice: Notice,
    *,
    subject: str,
    body: str,
    run: RunRef | None = None,
) -> bool:
    """Tell anything else, with links to the endpoint's page and to the run; whether anybody was reached."""
    return send(hook, spec, notice, Message(subject, body, tuple(links_to(spec, run))))
