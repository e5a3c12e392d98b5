"""What the page of all deployments shows of one, and which of them in which order."""

from collections.abc import Iterable, Sequence
from typing import Literal

from endpoint_deploy.core.findings import Findings
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.observed import IN_PROGRESS, ObservedEndpoint
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.render_release import why
from endpoint_deploy.core.standing import LedgerWord, drift_of, read_word
from endpoint_deploy.core.standstill import Standstill
from endpoint_deploy.core.strict import Strict

ABSENT, UNKNOWN = "none", "unknown"
Order = Literal["attention", "name", "state", "finished"]
_GOOD = frozenset({"released", "torn_down"})
# What the sentinel has told of what `drift_of` would say again.
_TOLD_AS_DRIFT = frozenset({"endpoint", "configuration", "weights"})


class VariantRow(Strict):
    """`share` is the part of the traffic, 0 to 1; counts are None for a serverless variant."""

    name: str
    weight: float
    share: float
    count: int | None
    desired_count: int | None


class ReleaseRow(Strict):
    """One record, as a line of a list. `who` started the run; times are UTC, ISO 8601."""

    sequence: int
    kind: str
    outcome: str
    action: str | None
    artifact_sha256: str | None
    started_at: str
    finished_at: str
    seconds: float
    who: str
    decided: str | None
    why: str
    dag_id: str
    run_id: str


class FindingRow(Strict):
    """What the sentinel has found and is still so; `since` is UTC, ISO 8601."""

    kind: str
    message: str
    since: str


class EndpointRow(Strict):
    """One deployment: what the service says, beside the ledger's word.

    `state` is SageMaker's EndpointStatus, `none` without an endpoint, `unknown` where it cannot be asked.
    `variants` are the service's if `described`, else the ledger's. `attention`: what is wrong, in sentences.
    `held`: why releases wait, by a person's freeze (`frozen`) or out of the change window. `findings` are the
    sentinel's that are open, as of `checked_at`, None where it has never looked.
    """

    key: str
    name: str
    environment: str
    description: str
    owner: str
    endpoint: str
    region: str
    strategy: str
    state: str
    described: bool
    config: str | None
    live: ReleaseRow | None
    last: ReleaseRow | None
    variants: tuple[VariantRow, ...]
    attention: tuple[str, ...]
    held: str | None
    frozen: bool
    findings: tuple[FindingRow, ...] = ()
    checked_at: str | None = None


def release_row(release: Release) -> ReleaseRow:
    """A record as a line."""
    decision = release.approval
    return ReleaseRow(
        sequence=release.sequence,
        kind=release.kind,
        outcome=release.outcome,
        action=release.action,
        artifact_sha256=release.artifact_sha256,
        started_at=release.started_at,
        finished_at=release.finished_at,
        seconds=release.seconds,
        who=release.run.triggered_by or release.run.run_type,
        decided=f"{decision.verdict} by {decision.user or decision.by}" if decision else None,
        why=why(release),
        dag_id=release.run.dag_id,
        run_id=release.run.run_id,
    )


def endpoint_row(
    deployment: Deployment,
    state: str,
    records: Sequence[Release],
    seen: ObservedEndpoint | None = None,
    *,
    described: bool = False,
    changing: bool = False,
    held: Standstill | None = None,
    findings: Findings | None = None,
) -> EndpointRow:
    """A deployment's row.

    state: as ListEndpoints said, `none` or `unknown`; records: the newest of the ledger, those that
    `read_word` looks at; seen: DescribeEndpoint's answer where it was `described`, None: no endpoint;
    changing: a DAG run may be changing the endpoint, whose record is not written yet, so nothing is drift;
    held: why releases wait; findings: the sentinel's.
    """
    spec = deployment.spec
    if described:
        state = seen.status if seen else ABSENT
    word = read_word(records, seen.config if seen else None)
    if seen is None or word.live is None:
        word = word.model_copy(update={"live": read_word(records, word.config).live})
    found = findings.open if findings else ()
    drifts = described and not changing and not _TOLD_AS_DRIFT & {each.kind for each in found}
    return EndpointRow(
        key=deployment.key,
        name=spec.name,
        environment=spec.environment,
        description=spec.description,
        owner=spec.owner,
        endpoint=spec.endpoint_name,
        region=spec.aws.region,
        strategy=spec.release.strategy,
        state=state,
        described=described,
        config=seen.config if seen else word.config,
        live=release_row(word.live) if word.live and state != ABSENT else None,
        last=release_row(word.last) if word.last else None,
        variants=() if state == ABSENT else _variants(word, seen),
        attention=tuple(_attention(state, word, seen, drifts=drifts)),
        held=held.reason if held else None,
        frozen=held is not None and held.frozen,
        findings=tuple(FindingRow(kind=each.kind, message=each.message, since=each.since) for each in found),
        checked_at=(findings.checked_at or None) if findings else None,
    )


def shown(
    rows: Iterable[EndpointRow], *, search: str = "", state: str = "", order: Order = "attention"
) -> list[EndpointRow]:
    """The rows that contain every word of the search and are in this state, in order.

    state: an EndpointStatus, `attention` for those with something wrong, or empty for all.
    """
    words = search.lower().split()
    found = [row for row in rows if all(word in _searched(row) for word in words) and _is_in(row, state)]
    found.sort(key=lambda row: row.key)
    if order == "attention":
        found.sort(key=lambda row: (not row.attention, row.state not in IN_PROGRESS))
    elif order == "state":
        found.sort(key=lambda row: row.state)
    elif order == "finished":
        found.sort(key=lambda row: row.last.finished_at if row.last else "", reverse=True)
    return found


def _searched(row: EndpointRow) -> str:
    said = (row.name, row.environment, row.endpoint, row.description, row.owner, row.region)
    return " ".join(said).lower()


def _is_in(row: EndpointRow, state: str) -> bool:
    return not state or row.state == state or (state == "attention" and bool(row.attention or row.findings))


def _variants(word: LedgerWord, seen: ObservedEndpoint | None) -> tuple[VariantRow, ...]:
    if seen is not None:
        found = [(v.name, v.current_weight, v.current_count, v.desired_count) for v in seen.variants]
    else:
        live = word.live.live if word.live else None
        found = [(v.name, v.weight, v.count, v.count) for v in live.variants] if live else []
    total = sum(weight for _, weight, _, _ in found)
    return tuple(
        VariantRow(
            name=name,
            weight=weight,
            share=weight / total if total else 0.0,
            count=count,
            desired_count=desired,
        )
        for name, weight, count, desired in found
    )


def _attention(state: str, word: LedgerWord, seen: ObservedEndpoint | None, *, drifts: bool) -> Iterable[str]:
    if state not in {"InService", ABSENT, UNKNOWN} and state not in IN_PROGRESS:
        yield f"The endpoint is {state}."
    if seen is not None and seen.failure_reason:
        yield seen.failure_reason
    if drifts and (drift := drift_of(seen, word)):
        yield f"Drift: {drift}."
    last = word.last
    if last is not None and last.outcome not in _GOOD:
        yield f"The last {last.kind}, #{last.sequence}, ended {last.outcome.replace('_', ' ')}."
