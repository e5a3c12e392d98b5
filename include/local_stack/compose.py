"""What the containers of `docker-compose.yaml` run beside Airflow: `python -m local_stack.compose …`."""

import json
import socket
import tempfile
import urllib.request
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from local_stack.paths import StatePaths
from local_stack.sagemaker import make_client
from local_stack.secret_store import StackSecrets, load_or_create_secrets

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

_READABLE: Final = 0o444
_HTTP_SECONDS: Final = 10.0


@app.command()
def secrets(
    directory: Annotated[Path, typer.Argument(help="A volume shared by the services.")],
    database_host: Annotated[str, typer.Option()] = "postgres",
    broker_host: Annotated[str, typer.Option()] = "redis",
) -> None:
    """Generate, once, every key and password of the set-up: one file for each option that reads one.

    PostgreSQL and Redis run as users of their own, so the files are readable by all: only those services
    mount the volume.
    """
    made = load_or_create_secrets(StatePaths(directory))
    for name, content in _files(made, database_host, broker_host).items():
        path = directory / name
        path.unlink(missing_ok=True)
        path.write_text(content)
        path.chmod(_READABLE)


@app.command()
def seed(sagemaker_url: Annotated[str, typer.Argument()]) -> None:
    """Train the example models and put them, and data to train on, where their specs look for them."""
    from local_stack.seed import seed_examples  # noqa: PLC0415 - the health checks start every few seconds
    from local_stack.training_data import seed_training_data  # noqa: PLC0415 - as above

    seed_training_data(make_client(sagemaker_url, "s3"))
    with tempfile.TemporaryDirectory() as workdir:
        for seeded in seed_examples(make_client(sagemaker_url, "s3"), Path(workdir)):
            typer.echo(f"{seeded.uri} {json.dumps(seeded.metrics)}")


@app.command()
def healthy(
    job: Annotated[str, typer.Argument(help="scheduler, triggerer or dag_processor")],
    api_url: Annotated[str, typer.Option()] = "http://api-server:8080",
) -> None:
    """Exit 0 where Airflow's API server says that this job's heart beats.

    `airflow jobs check` says the same for four seconds of processor time.
    """
    with urllib.request.urlopen(f"{api_url}/api/v2/monitor/health", timeout=_HTTP_SECONDS) as answer:  # noqa: S310
        health: dict[str, Any] = json.load(answer)
    if health[job]["status"] != "healthy":
        raise typer.Exit(1)


@app.command()
def worker_healthy(broker_url_file: Annotated[Path, typer.Argument()]) -> None:
    """Exit 0 where this container's Celery worker answers a ping sent through the broker."""
    from celery import Celery  # noqa: PLC0415 - only the workers' check needs it

    control = Celery(broker=broker_url_file.read_text()).control
    if not control.inspect(destination=[f"celery@{socket.gethostname()}"], timeout=_HTTP_SECONDS).ping():
        raise typer.Exit(1)


def _files(made: StackSecrets, database_host: str, broker_host: str) -> dict[str, str]:
    """File name to content."""
    database = f"airflow:{made.database_password}@{database_host}/airflow"
    return {
        "fernet_key": made.fernet_key,
        "jwt_secret": made.jwt_secret,
        "api_secret_key": made.api_secret_key,
        "postgres_password": made.database_password,
        "redis_password": made.broker_password,
        "sql_alchemy_conn": f"postgresql+psycopg2://{database}",
        "result_backend": f"db+postgresql://{database}",
        "broker_url": f"redis://:{made.broker_password}@{broker_host}:6379/0",
    }


if __name__ == "__main__":
    app()
