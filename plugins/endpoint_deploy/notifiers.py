"""How a message reaches an SNS topic, a Slack channel or mailboxes: by the hooks of Airflow's providers."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.core.fields import Notice
from endpoint_deploy.core.notification_spec import EmailSpec, Notification, SlackSpec
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.links import airflow_url, page_path

_log = logging.getLogger(__name__)

_SUBJECT_LENGTH = 100  # Publish refuses a longer one (SNS API reference)
_PATIENCE = 30  # seconds: a release does not wait longer for Slack


@dataclass(frozen=True)
class Message:
    """One fact: a line, what is said of it, and where to look, by the links' labels."""

    subject: str
    body: str
    links: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The body with its links, as plain text."""
        return "\n".join((self.body, *(f"{label}: {url}" for label, url in self.links)))


def links_to(
    spec: DeploymentSpec, run: RunRef | None, *, release: int | None = None
) -> Iterable[tuple[str, str]]:
    """Links to Airflow's pages, by label; none where Airflow does not know its own address.

    release: the number of the release that is meant.
    """
    base = airflow_url()
    if not base:
        return
    yield "endpoint" if release is None else "release", f"{base}{page_path(spec.key, release)}"
    if run is not None:
        yield "run", f"{base}/dags/{quote(run.dag_id)}/runs/{quote(run.run_id)}"


def send(hook: EndpointHook, spec: DeploymentSpec, notice: Notice, message: Message) -> bool:
    """Send to whom the spec wants told of this notice. What cannot be reached is logged and fails nothing.

    Returns whether the message has arrived anywhere, or nobody wanted it.
    """
    wishes = [wish for wish in spec.notifications if notice in wish.on]
    reached = 0
    for wish in wishes:
        try:
            _send(hook, wish, message)
            reached += 1
        except Exception as error:  # each hook has its own, and none may fail a release
            _log.warning("could not notify %s: %s: %s", _whom(wish), type(error).__name__, error)
    return reached > 0 or not wishes


def _send(hook: EndpointHook, wish: Notification, message: Message) -> None:
    if wish.slack:
        _to_slack(wish.slack, message)
    elif wish.email:
        _to_mailboxes(wish.email, message)
    else:
        hook.sibling("sns").publish(
            TopicArn=wish.sns_topic_arn, Subject=message.subject[:_SUBJECT_LENGTH], Message=message.text
        )


def _whom(wish: Notification) -> str:
    if wish.slack:
        return f"Slack by the connection {wish.slack.conn_id}"
    return f"{', '.join(wish.email.to)} by mail" if wish.email else str(wish.sns_topic_arn)


def _to_slack(wish: SlackSpec, message: Message) -> None:
    # Both hooks import Slack's SDK, which only who uses it should wait for.
    from airflow.providers.slack.hooks.slack import SlackHook  # noqa: PLC0415
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook  # noqa: PLC0415

    text = _slack_text(message)
    if wish.channel is None:
        SlackWebhookHook(slack_webhook_conn_id=wish.conn_id, timeout=_PATIENCE).send(
            text=text, unfurl_links=False
        )
    else:
        slack = SlackHook(slack_conn_id=wish.conn_id, timeout=_PATIENCE)
        slack.call("chat.postMessage", json={"channel": wish.channel, "text": text, "unfurl_links": False})


def _slack_text(message: Message) -> str:
    """Slack's mrkdwn: three characters are escaped, a link is `<url|label>` (docs.slack.dev, Formatting)."""
    subject, *lines = (escape(part, quote=False) for part in (message.subject, *message.body.splitlines()))
    links = " | ".join(f"<{escape(url, quote=False)}|{label}>" for label, url in message.links)
    return "\n".join((f"*{subject}*", *lines, *([links] if links else ())))


def _to_mailboxes(wish: EmailSpec, message: Message) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook  # noqa: PLC0415  as above

    links = "".join(f'<p><a href="{escape(url)}">{escape(label)}</a></p>' for label, url in message.links)
    content = f"<pre>{escape(message.body)}</pre>{links}"
    with SmtpHook(smtp_conn_id=wish.conn_id) as smtp:
        smtp.send_email_smtp(to=list(wish.to), subject=message.subject, html_content=content)
