"""What the commands share: how a deployment is named, how they print, and how they end."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from endpoint_deploy.core import render_release as render
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.specs import load_directory, specs_directory
from endpoint_deploy.errors import EndpointDeployError

FINE, WRONG = 0, 1

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def _known(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """What a shell offers for a name: the keys of deployments whose specs are valid, with their endpoints."""
    given = context.params.get("specs")
    try:
        found = load_directory(Path(given) if given else specs_directory()).deployments
    except EndpointDeployError:
        return []
    return [(each.key, each.spec.endpoint_name) for each in found if each.key.startswith(incomplete)]


Named = Annotated[
    str,
    typer.Argument(help="A deployment, its endpoint, or its name where one has it.", autocompletion=_known),
]
Specs = Annotated[Path | None, typer.Option(help="Directory of the specs; else ENDPOINT_DEPLOY_SPECS.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable, on stdout.")]
Names = Annotated[
    list[str] | None,
    typer.Argument(help="Deployments; all where none is named.", autocompletion=_known),
]


def deployment_named(name: str, specs: Path | None) -> Deployment:
    """The deployment of that key, endpoint or name; ends the command where there is not exactly one."""
    return chosen(name, all_of(specs)[0])


def all_of(directory: Path | None) -> tuple[list[Deployment], list[str]]:
    """The deployments, and what is wrong with the other files, which is said at once."""
    loaded = load_directory(directory or specs_directory())
    broken = [str(problem) for error in loaded.problems for problem in error.problems]
    for problem in broken:
        err.print(escape(problem), style="red")
    return sorted(loaded.deployments, key=lambda each: each.key), broken


def chosen(name: str, deployments: Sequence[Deployment]) -> Deployment:
    """The one of that key, endpoint or name; ends the command where there is not exactly one."""
    exact = [each for each in deployments if name in {each.key, each.spec.endpoint_name}]
    found = exact or [each for each in deployments if name == each.spec.name]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each.key for each in found or deployments) or "none"
    raise stop(f"found {len(found)} deployments called {name}, expected one of: {known}")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what Airflow says on stdout away from it."""
    # Airflow tells on stdout how its hooks connect, which would spoil --json.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    with redirect_stdout(sys.stderr):
        yield


def stop(sentence: str) -> typer.Exit:
    """What ends the command, once the sentence is said on stderr."""
    err.print(escape(render.one_line(sentence)), style="red")
    return typer.Exit(WRONG)


def print_json(body: Any) -> None:
    """Print for programs."""
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; where it is piped, a line a row with tabs between, which `cut` understands."""
    if not out.is_terminal:
        for row in (columns, *rows):
            typer.echo("\t".join(row))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    out.print(table, soft_wrap=False)
