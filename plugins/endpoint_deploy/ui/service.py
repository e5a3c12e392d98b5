"""What the pages ask of AWS: few calls, remembered, and none that changes anything."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.config import Config
from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.findings import FindingsStore, ever_looked_at
from endpoint_deploy.aws.freezes import Freezes, ever_frozen
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.latest import LatestReleases
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.aws.metric_data import Unreadable
from endpoint_deploy.core.findings import Findings
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.observed import IN_PROGRESS, ObservedEndpoint
from endpoint_deploy.core.redact import without_given_away
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standstill import Freeze
from endpoint_deploy.ui.remembered import Answer, Memory, Remembered
from endpoint_deploy.ui.traffic import SPANS, SpanName, Traffic, traffic_of_all

_LIST_SECONDS = 3.0
_LEDGER_SECONDS = 3.0
_CHANGING_SECONDS = 2.0
_SETTLED_SECONDS = 30.0  # of an endpoint that nobody has changed: auto scaling alone moves its counts
_NO_COPY_SECONDS = 60.0  # of a ledger written before there were copies of its newest records
_FINDINGS_SECONDS = 30.0
_HISTORY_SECONDS = 60.0
RECORDS = 50  # as many as a timeline begins with
_PAGE = 100  # ListEndpoints' MaxResults is at most 100
_QUICK = Config(
    connect_timeout=3,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=24,
)


@dataclass(frozen=True)
class Listed:
    """An endpoint as ListEndpoints gives it."""

    status: str
    modified: datetime


class Service:
    """One process's view of all accounts, regions and stores; safe to be asked from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hooks: dict[tuple[str, str], EndpointHook] = {}
        self._memory = Memory(self._explain)

    def hook(self, deployment: Deployment) -> EndpointHook:
        """The hook of its connection and region, by Airflow's connections; raises what making one does."""
        key = _account(deployment)
        with self._lock:
            if key not in self._hooks:
                hook = EndpointHook(aws_conn_id=key[0], region_name=key[1], config=_QUICK)
                # botocore's sessions are not made by several threads at once.
                _ = hook.sagemaker, hook.s3, hook.cloudwatch
                self._hooks[key] = hook
            return self._hooks[key]

    def prepare(self, deployments: Iterable[Deployment]) -> None:
        """Begin to ask what the first page needs of all of them, and wait for nothing."""
        for each in deployments:
            self._listing(each).start(_LIST_SECONDS)
            self._latest(each).start(_LEDGER_SECONDS)

    def listed(self, deployment: Deployment) -> Answer[Mapping[str, Listed]]:
        """All endpoints of its account and region by name."""
        return self._listing(deployment).answer(_LIST_SECONDS)

    def latest(self, deployment: Deployment) -> Answer[Mapping[str, tuple[Release, ...]]]:
        """The newest records of all endpoints of its store, by endpoint, without their evidence."""
        return self._latest(deployment).answer(_LEDGER_SECONDS)

    def described(
        self, deployments: Sequence[Deployment], listed: Mapping[str, Listed]
    ) -> dict[str, Answer[ObservedEndpoint | None]]:
        """DescribeEndpoint's answers by deployment, asked all at once; of what is not listed none."""
        there = [each for each in deployments if each.spec.endpoint_name in listed]
        questions = {each.key: (self._question(each), listed[each.spec.endpoint_name]) for each in there}
        for question, seen in questions.values():
            question.start(_fresh_for(seen), seen)
        return {key: question.answer(_fresh_for(seen), seen) for key, (question, seen) in questions.items()}

    def without_copies(self, deployments: Sequence[Deployment]) -> dict[str, Answer[tuple[Release, ...]]]:
        """The newest records of ledgers that left no copies, by deployment; empty where there is none."""
        questions = {each.key: self._newest(each) for each in deployments}
        for question in questions.values():
            question.start(_NO_COPY_SECONDS)
        return {key: question.answer(_NO_COPY_SECONDS) for key, question in questions.items()}

    def freezes(self, deployments: Sequence[Deployment]) -> dict[str, Answer[Freeze | None]]:
        """The freezes, in force or not, by deployment: a list a store, and a read of each that is there."""
        questions = {each.key: self._freeze(each) for each in deployments if self._was_frozen(each)}
        for question in questions.values():
            question.start(_LEDGER_SECONDS)
        return {key: question.answer(_LEDGER_SECONDS) for key, question in questions.items()}

    def findings(self, deployments: Sequence[Deployment]) -> dict[str, Answer[Findings]]:
        """What the sentinel has found, by deployment that it has looked at; read as freezes are."""
        questions = {each.key: self._findings(each) for each in deployments if self._was_looked_at(each)}
        for question in questions.values():
            question.start(_FINDINGS_SECONDS)
        return {key: question.answer(_FINDINGS_SECONDS) for key, question in questions.items()}

    def traffic(
        self, variants: Sequence[tuple[Deployment, Sequence[str]]], span: SpanName, *, page: str
    ) -> dict[str, Answer[Traffic]]:
        """The traffic of some variants of each deployment, by deployment: in one go for each account.

        page: whose question it is; pages that ask of different variants are answered each for itself.
        """
        by_account: dict[tuple[str, str], list[tuple[Deployment, tuple[str, ...]]]] = {}
        for deployment, names in variants:
            if names:
                by_account.setdefault(_account(deployment), []).append((deployment, tuple(sorted(names))))
        found: dict[str, Answer[Traffic]] = {}
        for account, some in by_account.items():
            question = self._memory.together(
                ("traffic", page, account, span), self._measure(some[0][0], span)
            )
            answers = question.answers(
                {each.spec.endpoint_name: names for each, names in some}, SPANS[span].fresh_seconds
            )
            found |= {each.key: answers[each.spec.endpoint_name] for each, _ in some}
        return found

    def history(self, deployment: Deployment, newest: int, limit: int) -> Answer[list[Release]]:
        """The newest records in full, the newest first; read again once `newest` is another one."""
        question: Remembered[list[Release]] = self._memory.of(
            ("history", limit, *_ledger_of(deployment)),
            lambda: list(self._records(deployment, limit)),
        )
        return question.answer(_HISTORY_SECONDS, newest)

    def release(self, deployment: Deployment, sequence: int) -> Answer[Release | None]:
        """One record; it never changes once it is there."""
        question: Remembered[Release | None] = self._memory.of(
            ("release", sequence, *_ledger_of(deployment)),
            lambda: self._ledger(deployment).get(sequence),
        )
        return question.answer(_NO_COPY_SECONDS)

    def _measure(
        self, deployment: Deployment, span: SpanName
    ) -> Callable[[Mapping[str, tuple[str, ...]]], Mapping[str, Traffic]]:
        """Asks CloudWatch for its account's: variants by endpoint."""
        return lambda variants: traffic_of_all(
            self.hook(deployment).cloudwatch, variants, SPANS[span], datetime.now(UTC)
        )

    def _listing(self, deployment: Deployment) -> Remembered[Mapping[str, Listed]]:
        return self._memory.of(("listed", _account(deployment)), lambda: self._list(deployment))

    def _latest(self, deployment: Deployment) -> Remembered[Mapping[str, tuple[Release, ...]]]:
        store = deployment.spec.aws.store
        return self._memory.of(
            ("latest", _account(deployment), store),
            lambda: LatestReleases(self.hook(deployment).s3, store).read(),
        )

    def _question(self, deployment: Deployment) -> Remembered[ObservedEndpoint | None]:
        name = deployment.spec.endpoint_name
        key = ("described", _account(deployment), name)
        return self._memory.of(key, lambda: self.hook(deployment).find_endpoint(name))

    def _was_frozen(self, deployment: Deployment) -> bool:
        store = deployment.spec.aws.store
        question = self._memory.of(
            ("frozen", _account(deployment), store), lambda: ever_frozen(self.hook(deployment).s3, store)
        )
        return deployment.spec.endpoint_name in (question.answer(_LEDGER_SECONDS).value or ())

    def _freeze(self, deployment: Deployment) -> Remembered[Freeze | None]:
        spec = deployment.spec
        return self._memory.of(
            ("freeze", *_ledger_of(deployment)),
            lambda: Freezes(self.hook(deployment).s3, spec.aws.store, spec.endpoint_name).read(),
        )

    def _was_looked_at(self, deployment: Deployment) -> bool:
        store = deployment.spec.aws.store
        question = self._memory.of(
            ("looked at", _account(deployment), store),
            lambda: ever_looked_at(self.hook(deployment).s3, store),
        )
        return deployment.spec.endpoint_name in (question.answer(_FINDINGS_SECONDS).value or ())

    def _findings(self, deployment: Deployment) -> Remembered[Findings]:
        spec = deployment.spec
        return self._memory.of(
            ("findings", *_ledger_of(deployment)),
            lambda: FindingsStore(self.hook(deployment).s3, spec.aws.store, spec.endpoint_name).read(),
        )

    def _newest(self, deployment: Deployment) -> Remembered[tuple[Release, ...]]:
        key = ("newest", *_ledger_of(deployment))
        return self._memory.of(key, lambda: self._records(deployment, 1))

    def _records(self, deployment: Deployment, limit: int) -> tuple[Release, ...]:
        try:
            return tuple(self._ledger(deployment).newest_first_at_once(limit))
        except ClientError as error:
            if errors.is_absent_object(error):  # the store's bucket is not there yet
                return ()
            raise

    def _ledger(self, deployment: Deployment) -> Ledger:
        spec = deployment.spec
        return Ledger(self.hook(deployment).s3, spec.aws.store, spec.endpoint_name)

    def _list(self, deployment: Deployment) -> dict[str, Listed]:
        pages = self.hook(deployment).sagemaker.get_paginator("list_endpoints")
        return {
            each["EndpointName"]: Listed(each["EndpointStatus"], each["LastModifiedTime"])
            for page in pages.paginate(PaginationConfig={"PageSize": _PAGE})
            for each in page["Endpoints"]
        }

    def _explain(self, error: Exception) -> str:
        with self._lock:
            self._hooks.clear()  # the next one reads the connection anew: credentials may have been renewed
        # What the service says of a right that is missing names who asked: its code is enough.
        cause = error.__cause__ if isinstance(error, Unreadable) else None
        if isinstance(said := cause or error, ClientError):
            return f"{said.operation_name}: {errors.code(said)}"
        first = without_given_away(str(said).partition("\n")[0]) or "no message"
        return first if said is error and isinstance(said, Unreadable) else f"{type(said).__name__}: {first}"


def _fresh_for(listed: Listed) -> float:
    return _CHANGING_SECONDS if listed.status in IN_PROGRESS else _SETTLED_SECONDS


def _account(deployment: Deployment) -> tuple[str, str]:
    return deployment.spec.aws.conn_id, deployment.spec.aws.region


def _ledger_of(deployment: Deployment) -> tuple[str, ...]:
    return (*_account(deployment), deployment.spec.aws.store, deployment.spec.endpoint_name)
