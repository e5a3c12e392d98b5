"""One message a release, to the topics that asked for its outcome."""

import logging

from botocore.exceptions import BotoCoreError, ClientError

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.spec import DeploymentSpec

_log = logging.getLogger(__name__)

_SUBJECT_LENGTH = 100  # Publish refuses a longer one (SNS API reference)


def notify(hook: EndpointHook, spec: DeploymentSpec, release: Release) -> None:
    """Publish to SNS. A topic that cannot be reached is logged: it must not fail what has succeeded."""
    said = release.failure.message if release.failure else f"serves {release.config_after}"
    subject = f"{release.endpoint}: {release.outcome.replace('_', ' ')} (release {release.sequence})"
    body = (
        f"{subject}\n{said}\nartifact: {release.artifact}\nsha256: {release.artifact_sha256}\n"
        f"run: {release.run.dag_id} {release.run.run_id}\nafter {release.seconds:.0f} s"
    )
    for wish in spec.notifications:
        if release.outcome not in wish.on:
            continue
        try:
            hook.sibling("sns").publish(
                TopicArn=wish.sns_topic_arn, Subject=subject[:_SUBJECT_LENGTH], Message=body
            )
        except (ClientError, BotoCoreError) as error:
            _log.warning("could not notify %s: %s", wish.sns_topic_arn, error)
