"""What the containers of `docker-compose.yaml` run once, before Airflow: `python -m local_stack.compose`."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer

from local_stack.paths import StatePaths
from local_stack.sagemaker import make_client
from local_stack.secret_store import StackSecrets, load_or_create_secrets

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

_READABLE: Final = 0o444
_PASSWORD: Final = "{password}"  # noqa: S105 - where it is to stand


@app.command()
def secrets(
    directory: Annotated[Path, typer.Argument(help="A volume shared by the services.")],
    database_url: Annotated[str, typer.Option(envvar="DATABASE_URL", help="postgresql://…")],
    redis_url: Annotated[str, typer.Option(envvar="REDIS_URL", help="redis://…")],
) -> None:
    """Generate, once, every key and password of the set-up: one file for each option that reads one.

    `{password}` in an address is replaced by the generated one. PostgreSQL and Redis run as users of their
    own, so the files are readable by all: only the set-up's services mount the volume.
    """
    made = load_or_create_secrets(StatePaths(directory))
    for name, content in _files(made, database_url, redis_url).items():
        # In one step: a service that runs already may be reading it.
        partial = directory / f"{name}.partial"
        partial.unlink(missing_ok=True)
        partial.write_text(content)
        partial.chmod(_READABLE)
        partial.replace(directory / name)


@app.command()
def database(url_file: Annotated[Path, typer.Argument(help="The file with the database's address.")]) -> None:
    """Make sure that the database can hold any text: what a server makes by itself, its locale decides on."""
    from local_stack.database import ensure_utf8  # noqa: PLC0415 - this command's alone

    ensure_utf8(url_file.read_text())


@app.command()
def seed(sagemaker_url: Annotated[str, typer.Argument()]) -> None:
    """Train the example models and put them, and data to train on, where their specs look for them."""
    from local_stack.seed import seed_examples  # noqa: PLC0415 - `secrets` need not import scikit-learn
    from local_stack.training_data import seed_training_data  # noqa: PLC0415 - as above

    seed_training_data(make_client(sagemaker_url, "s3"))
    with tempfile.TemporaryDirectory() as workdir:
        for seeded in seed_examples(make_client(sagemaker_url, "s3"), Path(workdir)):
            typer.echo(f"{seeded.uri} {json.dumps(seeded.metrics)}")


def _files(made: StackSecrets, database_url: str, redis_url: str) -> dict[str, str]:
    """File name to content."""
    database = database_url.replace(_PASSWORD, made.database_password).partition("://")[2]
    return {
        "fernet_key": made.fernet_key,
        "jwt_secret": made.jwt_secret,
        "api_secret_key": made.api_secret_key,
        "postgres_password": made.database_password,
        "redis_password": made.broker_password,
        "database_url": f"postgresql://{database}",
        "sql_alchemy_conn": f"postgresql+psycopg2://{database}",
        "result_backend": f"db+postgresql+psycopg2://{database}",
        "broker_url": redis_url.replace(_PASSWORD, made.broker_password),
    }


if __name__ == "__main__":
    app()
