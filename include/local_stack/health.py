"""The health checks of `docker-compose.yaml`: `python -m local_stack.health …` exits 0 where it is well.

Each runs every few seconds in each container, so nothing is imported that it does not need.
"""

import argparse
import json
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any, Final

_SECONDS: Final = 10.0


def main(arguments: list[str] | None = None) -> int:
    """Check one service; the exit status is 1, with the reason on standard error, where it is not well."""
    options = _parser().parse_args(arguments)
    try:
        found = options.check(options)
    except OSError as error:  # no answer; an HTTP status that tells of an error is one, too
        found = str(error)
    if found != "healthy":
        print(found, file=sys.stderr)
        return 1
    return 0


def airflow(options: argparse.Namespace) -> str:
    """What Airflow's API server says of a component.

    `airflow jobs check` says the same for four seconds of processor time.
    """
    url = f"{options.url}/api/v2/monitor/health"
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310
        health: dict[str, Any] = json.load(answer)
    return str(health[options.component]["status"])


def sagemaker(options: argparse.Namespace) -> str:
    """Whether the local SageMaker answers."""
    with urllib.request.urlopen(options.url, timeout=_SECONDS):  # noqa: S310
        return "healthy"


def worker(options: argparse.Namespace) -> str:
    """Whether a Celery worker of this machine answers a ping that is sent through the broker."""
    from celery import Celery  # noqa: PLC0415 - only the workers' check needs it
    from kombu.exceptions import OperationalError  # noqa: PLC0415 - as above

    name = f"{options.name}@{socket.gethostname()}"
    try:
        with Celery(broker=options.broker_url_file.read_text()) as app:
            pong = app.control.inspect(destination=[name], timeout=_SECONDS).ping()
    except OperationalError as error:
        return str(error)
    return "healthy" if pong else f"{name} does not answer"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stack.health", description=__doc__)
    checks = parser.add_subparsers(required=True)
    add = checks.add_parser("airflow")
    add.add_argument("url")
    add.add_argument("component", choices=["metadatabase", "scheduler", "triggerer", "dag_processor"])
    add.set_defaults(check=airflow)
    add = checks.add_parser("sagemaker")
    add.add_argument("url")
    add.set_defaults(check=sagemaker)
    add = checks.add_parser("worker")
    add.add_argument("broker_url_file", type=Path)
    add.add_argument("name")
    add.set_defaults(check=worker)
    return parser


if __name__ == "__main__":
    sys.exit(main())
