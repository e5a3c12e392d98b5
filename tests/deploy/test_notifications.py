"""How a release ended, as Slack and mailboxes get it: by a web and a mail server that really listen."""

import email
import json
import threading
from collections.abc import Iterator
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.controller import Controller

from local_stack.ports import free_port
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig, ensure_bucket

pytestmark = AS_IN_PRODUCTION

AIRFLOW = "https://airflow.example.com"


class Slack:
    """A server that takes what Slack's SDK sends to webhooks and to its Web API."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                is_json = self.headers["Content-Type"].startswith("application/json")
                said = json.loads(body) if is_json else {k: v[0] for k, v in parse_qs(body).items()}
                slack.received.append((self.path, said))
                self.send_response(slack.status)
                answer = b'{"ok": true}' if self.path.startswith("/api/") else b"ok"
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                """Quietly."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def slack() -> Iterator[Slack]:
    found = Slack()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


class Mailbox:
    """What an SMTP server has taken."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], email.message.EmailMessage]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        self.received.append((envelope.rcpt_tos, message))
        return "250 taken"


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    extra = {"disable_tls": True, "disable_ssl": True, "from_email": "airflow@example.com", "timeout": 30}
    connection(monkeypatch, "smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=extra)
    yield box
    controller.stop()


def connection(monkeypatch: pytest.MonkeyPatch, conn_id: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))


@pytest.fixture(autouse=True)
def known_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", AIRFLOW)


def test_slack_and_mailboxes_are_told_what_they_asked_for_with_links(
    rig: Rig, slack: Slack, mail: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(monkeypatch, "hook", conn_type="slackwebhook", host=slack.url, password="T0/B0/secret")
    connection(
        monkeypatch, "bot", conn_type="slack", password="xoxb-1", extra={"base_url": f"{slack.url}/api/"}
    )
    rig.spec(
        notifications=[
            {"slack": {"conn_id": "hook"}, "on": ["rolled_back"]},
            {"slack": {"conn_id": "bot", "channel": "#releases"}, "on": ["released"]},
            {"email": {"to": ["a@example.com", "b@example.com"]}, "on": ["rolled_back"]},
        ]
    )
    assert rig.deploy(bias=1).outcome == "released"
    bad = rig.deploy("raises", bias=2)
    assert bad.outcome == "rolled_back"

    (path, first), (hook_path, second) = slack.received
    assert (path, first["channel"]) == ("/api/chat.postMessage", "#releases")
    assert first["text"].startswith(f"*{rig.endpoint}: released (release 1)*\n")
    assert f"<{AIRFLOW}/plugin/endpoints/{rig.key}/1|release>" in first["text"]
    assert hook_path == "/T0/B0/secret"
    assert second["text"].startswith(f"*{rig.endpoint}: rolled back (release 2)*\n")
    assert f"<{AIRFLOW}/plugin/endpoints/{rig.key}/2|release>" in second["text"]
    assert f"{AIRFLOW}/dags/deploy__" in second["text"]

    ((to, message),) = mail.received
    assert to == ["a@example.com", "b@example.com"]
    assert message["Subject"] == f"{rig.endpoint}: rolled back (release 2)"
    assert message["From"] == "airflow@example.com"
    (part,) = [p for p in message.walk() if p.get_content_type() == "text/html"]
    assert f'<a href="{AIRFLOW}/plugin/endpoints/{rig.key}/2">release</a>' in part.get_content()


def test_what_slack_would_read_as_markup_is_shown_as_it_is(
    rig: Rig, slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection(monkeypatch, "hook", conn_type="slackwebhook", host=slack.url, password="T0/B0/secret")
    rig.spec(notifications=[{"slack": {"conn_id": "hook"}, "on": ["refused"]}])
    ensure_bucket(rig.clients("s3"))
    refused = rig.run("deploy", artifact=f"s3://{BUCKET}/<!channel>&/model.tar.gz")
    assert refused.outcome == "refused"
    ((_, said),) = slack.received
    assert "<!channel>" not in said["text"]
    assert "&lt;!channel&gt;&amp;" in said["text"]


@pytest.mark.parametrize("fault", ["refuses", "unreachable", "unknown"])
def test_who_cannot_be_reached_fails_nothing_and_keeps_nobody_else_from_being_told(
    rig: Rig, slack: Slack, mail: Mailbox, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    slack.status = 500
    host = slack.url if fault == "refuses" else "http://127.0.0.1:9"
    if fault != "unknown":
        connection(monkeypatch, "hook", conn_type="slackwebhook", host=host, password="T0/B0/secret")
    rig.spec(
        notifications=[
            {"slack": {"conn_id": "hook"}, "on": ["released"]},
            {"email": {"to": ["a@example.com"]}, "on": ["released"]},
        ]
    )
    assert rig.deploy(bias=1).outcome == "released"
    assert len(mail.received) == 1
