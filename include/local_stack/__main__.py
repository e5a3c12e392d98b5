"""`python -m local_stack`: the laptop's stack from the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from local_stack import stack
from local_stack.airflow_api import AirflowApiError
from local_stack.background import start_in_background
from local_stack.examples import DeployedExample, await_registered, deploy_examples
from local_stack.paths import DEFAULT_STATE_DIR, StatePaths
from local_stack.record import read_running

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
console = Console(highlight=False)

StateDir = Annotated[Path, typer.Option("--state-dir", help="Where the stack keeps its files.")]
Port = Annotated[
    int | None, typer.Option(help="The UI's port; by default 8080, or another where it is taken.")
]


@app.command()
def up(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    port: Port = None,
    examples: Annotated[bool, typer.Option(help="Train and deploy the example models.")] = True,
) -> None:
    """Start Airflow and the local SageMaker and leave them running, with the examples deployed."""
    running = stack.attach(state_dir)
    with console.status("starting") as shown:

        def progress(detail: str) -> None:
            shown.update(f"waiting for {detail}")

        running = running or start_in_background(state_dir, port=port, on_progress=progress)
        # Deploying what is live already is nothing to do, and takes seconds.
        deployed = deploy_examples(running, progress) if examples else []
        retrained = await_registered(running, progress) if examples else None
    _describe(running)
    for example in deployed:
        console.print(f"{example.endpoint}: {example.outcome}; ask it with", style="bold")
        console.print(_curl(running.sagemaker_url, example), soft_wrap=True)
    if retrained:
        waits = "; it is released once you approve it" if retrained.status == "PendingManualApproval" else ""
        status = f", {retrained.status}{waits}" if retrained.status else ""
        console.print(f"{retrained.endpoint}: {retrained.outcome}{status}", style="bold")
    failed = [each.endpoint for each in deployed if each.outcome not in {"released", "nothing_to_do"}]
    if failed or (retrained and retrained.outcome != "registered"):
        raise typer.Exit(1)


@app.command()
def down(state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Stop what `up` started."""
    with console.status("stopping"):
        stopped = stack.stop(state_dir)
    console.print("stopped" if stopped else f"nothing runs in {state_dir}")


@app.command()
def demo(state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Watch releases, good and broken, and a model retrained as data grow; exits 1 unless all is as said."""
    from local_stack.demo.run import run_demo  # noqa: PLC0415 - `up` and `down` need not import it

    if not run_demo(console, state_dir):
        raise typer.Exit(1)


@app.command()
def status(state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Say what runs; exits 1 where nothing does."""
    record = read_running(StatePaths(state_dir.resolve()))
    if record is None:
        console.print(f"nothing runs in {state_dir}")
        raise typer.Exit(1)
    console.print(f"{record.phase}: {record.detail}")
    for name, service in record.services.items():
        console.print(f"  {name:15} process {service.pid:<8} {service.log}")


def _describe(running: stack.Stack) -> None:
    """Everything a newcomer needs to look around."""
    secrets = running.secrets
    console.print(f"Airflow          {running.api_url}")
    console.print(
        f"  login          admin / {secrets.admin_password}   (or viewer / {secrets.viewer_password})"
    )
    console.print(f"local SageMaker  {running.sagemaker_url}")
    console.print(f"  environment    export AWS_ENDPOINT_URL={running.sagemaker_url}")
    console.print(f"logs             {running.paths.logs}")


def _curl(sagemaker_url: str, example: DeployedExample) -> str:
    """A request as a shell command: the local SageMaker checks no signature."""
    return (
        f"  curl -s {sagemaker_url}/endpoints/{example.endpoint}/invocations "
        f"-H 'Content-Type: application/json' -d @{example.payload}"
    )


if __name__ == "__main__":
    try:
        app()
    except (stack.StackError, AirflowApiError) as error:
        console.print(error, style="red", markup=False)
        sys.exit(1)
