"""What the command line reads of deployments: the ledger and what is live; it changes nothing.

A describe a deployment, a list, its freeze and as few records as it takes: never a describe a release.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from endpoint_deploy.aws.findings import FindingsStore
from endpoint_deploy.aws.freezes import Freezes
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.aws.lock import EndpointLock
from endpoint_deploy.core.findings import Finding
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.redact import without_secrets
from endpoint_deploy.core.standing import Standing, drift_of, read_word
from endpoint_deploy.core.standstill import standstill
from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.preview import connect

_AT_ONCE = 8
T = TypeVar("T")


class Unanswered(EndpointDeployError):
    """The store or the service could not be asked, or holds what this version cannot read."""


def ledger_of(deployment: Deployment) -> Ledger:
    """The deployment's ledger; raises NoConnection."""
    spec = deployment.spec
    return Ledger(connect(spec).s3, spec.aws.store, spec.endpoint_name)


def asked(what: str, question: Callable[[], T]) -> T:
    """The answer to a question to AWS; raises Unanswered, which says in a sentence what was asked for."""
    try:
        return question()
    except (BotoCoreError, ClientError) as error:
        raise Unanswered(f"{what}: {error}") from error
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "its root"
        raise Unanswered(
            f"{what}: found a record that this version cannot read, first at {where}; expected a record of "
            "schema_version 1"
        ) from error
    except ValueError as error:  # JSON that somebody has cut short
        raise Unanswered(f"{what}: found a record that is no JSON: {error}") from error


def standings(deployments: Sequence[Deployment]) -> list[Standing]:
    """Where each deployment stands, in the order given; what cannot be reached is said and not raised."""
    hooks: dict[tuple[str, str], EndpointHook | str] = {}
    for deployment in deployments:
        key = _connection(deployment)
        if key not in hooks:
            try:
                hooks[key] = connect(deployment.spec)
            except EndpointDeployError as error:
                hooks[key] = str(error)
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        found = readers.map(lambda each: _standing(each, hooks[_connection(each)]), deployments)
        return [_clean(each, standing) for each, standing in zip(deployments, found, strict=True)]


def _clean(deployment: Deployment, standing: Standing) -> Standing:
    """What AWS and containers have said, with no secret in it."""
    spec, seen = deployment.spec, standing.seen
    if seen is not None:
        seen = seen.model_copy(update={"failure_reason": without_secrets(spec, seen.failure_reason)})
    unreachable = tuple(without_secrets(spec, each) for each in standing.unreachable)
    return standing.model_copy(update={"seen": seen, "unreachable": unreachable})


def _connection(deployment: Deployment) -> tuple[str, str]:
    return deployment.spec.aws.conn_id, deployment.spec.aws.region


def _standing(deployment: Deployment, hook: EndpointHook | str) -> Standing:
    spec = deployment.spec
    bare = Standing(deployment=deployment.key, endpoint=spec.endpoint_name, region=spec.aws.region)
    if isinstance(hook, str):
        return bare.model_copy(update={"unreachable": (hook,)})
    missing: list[str] = []
    seen, described = None, False
    try:
        seen = asked("the endpoint", lambda: hook.find_endpoint(spec.endpoint_name))
        described = True
    except Unanswered as error:
        missing.append(str(error))
    try:
        ledger = Ledger(hook.s3, spec.aws.store, spec.endpoint_name)
        word = asked("the ledger", lambda: read_word(ledger.newest_first(), seen.config if seen else None))
    except Unanswered as error:
        missing.append(str(error))
        return bare.model_copy(update={"seen": seen, "unreachable": tuple(missing)})
    drift, holder = (drift_of(seen, word), None) if described else (None, None)
    if drift is not None:
        # The lock is taken before a change and given back after its record is written.
        holder, drift, missing = _unless_under_way(deployment, hook, drift, missing)
    held = None
    try:
        freeze = asked("the freeze", Freezes(hook.s3, spec.aws.store, spec.endpoint_name).read)
        held = standstill(spec.changes, freeze, datetime.now(UTC))
    except Unanswered as error:
        missing = [*missing, str(error)]
    findings: tuple[Finding, ...] = ()
    if spec.sentinel is not None:
        try:
            known = FindingsStore(hook.s3, spec.aws.store, spec.endpoint_name)
            findings = asked("the sentinel's findings", known.read).open
        except Unanswered as error:
            missing = [*missing, str(error)]
    return bare.model_copy(
        update={
            "seen": seen,
            "ledger": word,
            "held": held,
            "findings": findings,
            "drift": drift,
            "changing_by": holder,
            "unreachable": tuple(missing),
        }
    )


def _unless_under_way(
    deployment: Deployment, hook: EndpointHook, drift: str, missing: list[str]
) -> tuple[str | None, str | None, list[str]]:
    spec = deployment.spec
    lock = EndpointLock(hook.s3, spec.aws.store, spec.endpoint_name)
    try:
        holder = asked("the lock", lock.holder)
    except Unanswered as error:
        return None, drift, [*missing, str(error)]
    return (f"{holder.dag_id} {holder.run_id}", None, missing) if holder else (None, drift, missing)
