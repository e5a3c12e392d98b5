"""`status`, `history` and `show`: the ledger, read from the command line. They change nothing.

Exit codes: 0 fine; 1 what was asked for cannot be told, and with `status --exit-code` also drift, a last
release that did not succeed, an endpoint out of service; 2 a command that is typed wrongly.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from endpoint_deploy.commands import (
    FINE,
    WRONG,
    AsJson,
    Named,
    Names,
    Specs,
    all_of,
    chosen,
    deployment_named,
    err,
    out,
    print_json,
    print_table,
    quiet,
    stop,
)
from endpoint_deploy.core import render_release as render
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standing import Standing
from endpoint_deploy.errors import EndpointDeployError

if TYPE_CHECKING:
    from endpoint_deploy.aws.ledger import Ledger

COMMANDS = frozenset({"status", "history", "show"})
_AGO = re.compile(r"(?P<number>\d{1,5})(?P<unit>[dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}

T = TypeVar("T")


def status(
    names: Names = None,
    specs: Specs = None,
    as_json: AsJson = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where something is wrong.")
    ] = False,
) -> None:
    """Say where every deployment stands: what is live, which release that is, and whether both agree."""
    deployments, broken = all_of(specs)
    wanted = [chosen(name, deployments) for name in names] if names else deployments
    with quiet():
        from endpoint_deploy.inspection import standings  # noqa: PLC0415  Airflow takes seconds to import

        found = standings(wanted)
    now = datetime.now(UTC)
    if as_json:
        rows = [
            each.model_dump(mode="json") | {"wrong": each.wrong, "age_seconds": _age(each, now)}
            for each in found
        ]
        print_json({"deployments": rows, "problems": broken})
    else:
        print_table(_STATUS, [_status_row(each, now) for each in found])
        for each in found:
            for said in _remarks(each):
                err.print(escape(f"{each.deployment}: {render.one_line(said)}"), style="red")
    unknown = bool(broken and not names) or any(each.unreachable for each in found)
    raise typer.Exit(WRONG if unknown or (exit_code and any(each.wrong for each in found)) else FINE)


def history(
    name: Named,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    since: Annotated[
        str | None, typer.Option(help="ISO 8601 (2026-01-31, 2026-01-31T08:00+01:00), or 7d, 12h, 30m ago.")
    ] = None,
    specs: Specs = None,
    as_json: AsJson = False,
) -> None:
    """List a deployment's releases, rollbacks and teardowns, the newest first."""
    earliest = _earliest(since) if since else None

    def read(ledger: "Ledger") -> list[Release]:
        records = ledger.newest_first_at_once(limit)
        if earliest is None:
            return list(records)
        return list(takewhile(lambda r: datetime.fromisoformat(r.finished_at) >= earliest, records))

    found = _ask(name, specs, read)
    if as_json:
        print_json([each.model_dump(mode="json") for each in found])
    elif found:
        print_table(_HISTORY, [_history_row(each) for each in found])
    else:
        err.print(escape(f"{name}: no releases" + (f" since {since}" if since else "")))


def show(
    name: Named,
    release: Annotated[int, typer.Argument(min=1, help="Its number in the ledger.")],
    other: Annotated[int | None, typer.Argument(min=1, help="Another one, to compare it with.")] = None,
    specs: Specs = None,
    as_json: AsJson = False,
) -> None:
    """Show everything of one release, or what tells two apart."""
    numbers = [release] if other is None else [release, other]
    found = _ask(name, specs, lambda ledger: [(number, ledger.get(number)) for number in numbers])
    there = [each for _, each in found if each is not None]
    if len(there) < len(numbers):
        missing = ", ".join(str(number) for number, each in found if each is None)
        raise stop(f"{name}: the ledger has no release {missing}; `history {name}` lists what it has")
    if other is None:
        if as_json:
            print_json(there[0].model_dump(mode="json"))
        else:
            out.print(escape(render.render_release(there[0])), end="")
    elif as_json:
        print_json(render.compared(*there))
    else:
        out.print(escape(render.render_comparison(*there)), end="")


_STATUS = (
    "deployment",
    "endpoint",
    "state",
    "release",
    "artifact",
    "since",
    "variants",
    "last",
    "age",
    "drift",
    "held",
    "findings",
)
_HISTORY = ("release", "finished", "kind", "outcome", "strategy", "who", "took", "artifact", "reason")


def _status_row(each: Standing, now: datetime) -> list[str]:
    live, last = each.ledger.live, each.ledger.last
    state = each.seen.status if each.seen else ("unknown" if each.unreachable else "none")
    variants = [
        f"{v.name} weight {v.current_weight:g}"
        + (" serverless" if v.current_count is None else f" x{v.current_count}")
        for v in (each.seen.variants if each.seen else ())
    ]
    drift = "changing" if each.changing_by or (each.seen and each.seen.in_progress) else ""
    return [
        each.deployment,
        each.endpoint,
        state,
        f"#{live.sequence}" if live else "",
        render.short_digest(live) if live else "",
        live.finished_at[:19] if live else "",
        ", ".join(variants),
        f"#{last.sequence} {last.kind} {last.outcome}" if last else "",
        render.duration(render.age(last.finished_at, now)) if last else "",
        "yes" if each.drift else drift or ("unknown" if each.unreachable else "no"),
        "" if each.held is None else ("frozen" if each.held.frozen else "closed"),
        str(len(each.findings) or ""),
    ]


def _history_row(each: Release) -> list[str]:
    return [
        f"#{each.sequence}",
        each.finished_at[:19],
        each.kind,
        each.outcome,
        each.action or "",
        render.one_line(render.who(each)),
        render.duration(each.seconds),
        render.short_digest(each),
        render.why(each),
    ]


def _remarks(each: Standing) -> Iterator[str]:
    if each.drift:
        yield f"drift: {each.drift}"
    if each.changing_by:
        yield f"being changed by {each.changing_by}"
    yield from (
        f"found by the sentinel at {finding.since}: {finding.kind}: {finding.message}"
        for finding in each.findings
    )
    if each.held:
        yield f"releases are held: {each.held.reason}"
    if each.seen and each.seen.failure_reason:
        yield each.seen.failure_reason
    yield from (f"cannot be told: {what}" for what in each.unreachable)


def _age(each: Standing, now: datetime) -> float | None:
    return round(render.age(each.ledger.last.finished_at, now), 1) if each.ledger.last else None


def _ask(name: str, specs: Path | None, question: "Callable[[Ledger], T]") -> T:
    deployment = deployment_named(name, specs)
    with quiet():
        from endpoint_deploy.inspection import asked, ledger_of  # noqa: PLC0415

        try:
            ledger = ledger_of(deployment)
            return asked("the ledger", lambda: question(ledger))
        except EndpointDeployError as error:
            raise stop(f"{deployment.key}: {error}") from None


def _earliest(since: str) -> datetime:
    if ago := _AGO.fullmatch(since):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
    try:
        given = datetime.fromisoformat(since)
    except ValueError:
        raise typer.BadParameter(f"found {since!r}, expected ISO 8601 or 7d, 12h, 30m") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)
