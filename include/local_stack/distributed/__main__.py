"""`python -m local_stack.distributed`: the services of `docker-compose.yaml` without containers."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from local_stack.distributed.backing import BackingError
from local_stack.distributed.stack import bring_down, start_in_background
from local_stack.paths import DEFAULT_STATE_DIR
from local_stack.stack import StackError, attach

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
console = Console(highlight=False)

StateDir = Annotated[Path, typer.Option("--state-dir", help="Where the set-up keeps its files.")]
Port = Annotated[
    int | None, typer.Option(help="The UI's port; by default 8080, or another where it is taken.")
]
_STATE_DIR = DEFAULT_STATE_DIR / "distributed"


@app.command()
def up(state_dir: StateDir = _STATE_DIR, port: Port = None) -> None:
    """Start every service on the PostgreSQL and the Redis of this machine, and leave them running."""
    running = attach(state_dir)
    with console.status("starting") as shown:

        def progress(detail: str) -> None:
            shown.update(f"waiting for {detail}")

        running = running or start_in_background(state_dir, port=port, on_progress=progress)
    console.print(f"Airflow          {running.api_url}")
    console.print(
        f"  login          admin / {running.secrets.admin_password}   "
        f"(or viewer / {running.secrets.viewer_password})"
    )
    console.print(f"local SageMaker  {running.sagemaker_url}")
    console.print(f"logs             {running.paths.logs}")
    for name, service in running.services.items():
        console.print(f"  {name:14} process {service.pid}")


@app.command()
def down(
    state_dir: StateDir = _STATE_DIR,
    volumes: Annotated[bool, typer.Option("--volumes", help="Delete its databases and files, too.")] = False,
) -> None:
    """Stop what `up` started; PostgreSQL and Redis stay, and so does what is in their databases."""
    with console.status("stopping"):
        stopped = bring_down(state_dir, volumes=volumes)
    console.print("stopped" if stopped else f"nothing runs in {state_dir}")


if __name__ == "__main__":
    try:
        app()
    except (StackError, BackingError) as error:
        console.print(error, style="red", markup=False)
        sys.exit(1)
