"""`freeze` and `thaw`: what the freeze DAG does, from the command line.

Exit codes: 0 done, or there already; 1 it could not be; 2 a command that is typed wrongly.
"""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from endpoint_deploy.commands import AsJson, Named, Specs, deployment_named, out, print_json, quiet, stop
from endpoint_deploy.core.standstill import Freeze, until_of
from endpoint_deploy.errors import EndpointDeployError

if TYPE_CHECKING:
    from endpoint_deploy.aws.freezes import Freezes

COMMANDS = frozenset({"freeze", "thaw"})

By = Annotated[str | None, typer.Option(help="Who; else the user of this machine.")]


def freeze(
    name: Named,
    *,
    reason: Annotated[str, typer.Option(help="Why: shown wherever a release is held.")],
    until: Annotated[
        str | None, typer.Option(help="When it ends by itself, ISO 8601; else when somebody thaws it.")
    ] = None,
    by: By = None,
    specs: Specs = None,
    as_json: AsJson = False,
) -> None:
    """Hold a deployment's releases until it is thawed. Its rollback DAG stays open."""
    now = datetime.now(UTC)
    try:
        ends = until_of(until, now=now)
    except EndpointDeployError as error:
        raise typer.BadParameter(str(error)) from None
    if not reason.strip():
        raise typer.BadParameter("found no reason, expected why it is frozen")
    wanted = Freeze(
        reason=reason.strip(), by=by or getpass.getuser(), since=now.isoformat(timespec="seconds"), until=ends
    )

    deployment, before = _with_freezes(name, specs, lambda freezes: freezes.freeze(wanted))
    replaced = before if before is not None and before.holds(now) else None
    if as_json:
        print_json({"deployment": deployment, "freeze": _said(wanted), "replaces": _said(replaced)})
        return
    out.print(escape(f"{deployment} is {wanted.sentence}"))
    if replaced is not None:
        out.print(escape(f"this takes the place of: {replaced.sentence}"))


def thaw(
    name: Named,
    *,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: By = None,
    specs: Specs = None,
    as_json: AsJson = False,
) -> None:
    """Let a frozen deployment's releases go on."""
    who, at = by or getpass.getuser(), datetime.now(UTC).isoformat(timespec="seconds")
    deployment, thawed = _with_freezes(
        name, specs, lambda freezes: freezes.thaw(by=who, at=at, because=reason.strip())
    )
    if as_json:
        print_json({"deployment": deployment, "thawed": _said(thawed)})
        return
    out.print(escape(f"{deployment} was {thawed.sentence}" if thawed else f"{deployment} is not frozen"))


def _said(freeze: Freeze | None) -> dict[str, str | None] | None:
    return freeze.model_dump() if freeze else None


def _with_freezes(
    name: str, specs: Path | None, act: "Callable[[Freezes], Freeze | None]"
) -> tuple[str, Freeze | None]:
    """The deployment's key, and what was done with its freeze."""
    deployment = deployment_named(name, specs)
    with quiet():
        from endpoint_deploy.aws.freezes import Freezes  # noqa: PLC0415  Airflow takes seconds to import
        from endpoint_deploy.inspection import asked  # noqa: PLC0415
        from endpoint_deploy.preview import connect  # noqa: PLC0415

        spec = deployment.spec
        try:
            freezes = Freezes(connect(spec).s3, spec.aws.store, spec.endpoint_name)
            return deployment.key, asked("the freeze", lambda: act(freezes))
        except EndpointDeployError as error:
            raise stop(f"{deployment.key}: {error}") from None
