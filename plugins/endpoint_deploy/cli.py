"""The command line: `python -m endpoint_deploy validate | schema | plan | status | history | show | …`.

Exit codes are terraform's: 0 nothing to say, 1 an error, 2 (plan) changes; `ledger_commands` has its own.
"""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from endpoint_deploy import freeze_commands, ledger_commands, watch_command
from endpoint_deploy.core.document import read_document
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.markdown import PlannedFile, render_comment
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.problems import InvalidSpec, SpecProblem
from endpoint_deploy.core.redact import without_secrets
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.dag_builders.specs import LoadedSpecs, load_file, load_files, read_text, spec_files
from endpoint_deploy.errors import EndpointDeployError

NOTHING_TO_DO, ERROR, CHANGES = 0, 1, 2

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Continuous delivery of models to Amazon SageMaker endpoints.",
)
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

app.command()(ledger_commands.status)
app.command()(ledger_commands.history)
app.command()(ledger_commands.show)
app.command()(watch_command.watch)
app.command()(freeze_commands.freeze)
app.command()(freeze_commands.thaw)

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable, on stdout.")]


@app.command()
def validate(
    paths: Annotated[list[Path], typer.Argument(help="YAML files, or directories of them.")],
    as_json: AsJson = False,
) -> None:
    """Check specs and the files they name, and print every problem. Exits with 1 if there is one."""
    loaded, problems = _validated(paths)
    keys = [deployment.key for deployment in loaded.deployments]
    if as_json:
        _print_json({"deployments": keys, "problems": [each.as_dict() for each in problems]})
    else:
        _show(problems)
        if not problems:
            out.print(f"[green]ok[/] {', '.join(keys) or 'no deployments'}")
    raise typer.Exit(ERROR if problems else NOTHING_TO_DO)


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option(help="Write there instead of printing.")] = None,
) -> None:
    """Print the JSON Schema (draft 2020-12) by which editors complete and check a spec."""
    from endpoint_deploy.core.schema import schema_text  # noqa: PLC0415  builds the whole schema

    if output is None:
        typer.echo(schema_text(), nl=False)
        return
    try:
        output.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        err.print(escape(f"{output}: {error.strerror}, expected a file that can be written"), style="red")
        raise typer.Exit(ERROR) from None


@app.command()
def plan(
    paths: Annotated[list[Path], typer.Argument(help="A spec's YAML file; several with --markdown.")],
    artifact: Annotated[
        str | None, typer.Option(help="s3:// URI; what a run without a form releases by default.")
    ] = None,
    model_package: Annotated[str | None, typer.Option(help="ARN of a package of the spec's group.")] = None,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option(help="One comment for a pull request, on stdout.")] = False,
) -> None:
    """Say what a release would create, change and keep; changes nothing.

    Exits with 0 where there is nothing to do, with 2 where there is, with 1 on an error. The connection is
    AIRFLOW_CONN_<ID> from the environment, else boto3's own credentials.
    """
    if markdown and not (artifact or model_package or as_json):
        raise typer.Exit(_comment_on(paths))
    if markdown or len(paths) != 1:
        raise typer.BadParameter("several files, only with --markdown; --markdown, without other options")
    found = _planned(paths[0], artifact, model_package)
    _show(found.problems)
    if found.error:
        err.print(escape(f"{found.source}: {found.error}"), style="red")
    if found.plan is None:
        raise typer.Exit(ERROR)
    if as_json:
        _print_json(found.plan.model_dump(mode="json"))
    else:
        _show_plan(found.plan)
    raise typer.Exit(_exit_code(found))


def _comment_on(paths: Iterable[Path]) -> int:
    """Print one comment about every file, also about those that cannot be planned; returns the exit code."""
    found = [_planned(path, None, None) for path in dict.fromkeys(paths)]
    typer.echo(render_comment(found), nl=False)
    codes = {_exit_code(each) for each in found}
    return next(code for code in (ERROR, CHANGES, NOTHING_TO_DO) if code in codes)


def _planned(path: Path, artifact: str | None, model_package: str | None) -> PlannedFile:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  `--help` needs no AWS

    source = str(path)
    try:
        deployment = load_file(path)
    except InvalidSpec as error:
        return PlannedFile(source=source, problems=error.problems)
    try:
        return PlannedFile(source=source, plan=_preview(deployment, artifact, model_package))
    except InvalidSpec as error:
        return PlannedFile(source=source, problems=error.problems)
    except (EndpointDeployError, ClientError, BotoCoreError) as error:
        return PlannedFile(source=source, error=str(without_secrets(deployment.spec, str(error))))


def _exit_code(found: PlannedFile) -> int:
    if found.plan is None:
        return ERROR
    return NOTHING_TO_DO if found.plan.action == "nothing" else CHANGES


def _preview(deployment: Deployment, artifact: str | None, model_package: str | None) -> Plan:
    # Airflow tells on stdout how its hooks connect, which would spoil --json.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    with redirect_stdout(sys.stderr):
        from endpoint_deploy.preview import preview  # noqa: PLC0415  Airflow takes seconds to import
        from endpoint_deploy.resolve import Wish  # noqa: PLC0415

        return preview(deployment, Wish(artifact=artifact, model_package=model_package))


def _validated(paths: list[Path]) -> tuple[LoadedSpecs, list[SpecProblem]]:
    from endpoint_deploy.aws.check import check  # noqa: PLC0415  botocore

    files: list[Path] = []
    for path in paths:
        files += spec_files(path) if path.is_dir() else [path]
    loaded = load_files(dict.fromkeys(files))
    problems = [problem for error in loaded.problems for problem in error.problems]
    for deployment in loaded.deployments:
        problems += check(
            deployment, read_document(read_text(deployment.source), source=str(deployment.source))
        )
    return loaded, problems


def _print_json(body: object) -> None:
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


def _show(problems: Iterable[SpecProblem]) -> None:
    for problem in problems:
        path = f"[bold]{escape(problem.path)}[/]: " if problem.path else ""
        hint = f" [cyan]({escape(problem.hint)})[/]" if problem.hint else ""
        err.print(
            f"{escape(problem.source)}:{problem.line}: {path}"
            f"found [red]{escape(problem.found)}[/], expected [green]{escape(problem.expected)}[/]{hint}"
        )


_COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "bold yellow"}


def _show_plan(made: Plan) -> None:
    for line in render_plan(made).splitlines():
        out.print(escape(line), style=_COLOURS.get(line.lstrip()[:1], ""))
