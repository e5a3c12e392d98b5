"""A client that never stops asking: steady requests to an endpoint, each one counted."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# No retries: a request that had to be sent twice is a request that failed.
CLIENT_CONFIG: Final = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)


@dataclass
class Count:
    """What happened to the requests of a span of time."""

    requests: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    variants: dict[str, int] = field(default_factory=dict)
    """How many requests each production variant answered."""


class Traffic:
    """Sends `per_second` requests a second, from several threads, until the block ends.

    Requests leave on a schedule of their own: slow answers do not make them fewer until every thread waits.
    Each request carries one row; an answer counts as good when it holds a prediction for that row.
    """

    def __init__(
        self,
        client: Any,
        endpoint: str,
        rows: Sequence[Sequence[float]],
        *,
        per_second: float,
        threads: int = 4,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._rows = rows
        self._interval = 1 / per_second
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._count = Count()
        self._sent = 0
        self._started = time.monotonic()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def take(self) -> Count:
        """What was counted since the last call."""
        with self._lock:
            taken, self._count = self._count, Count()
        return taken

    def peek(self) -> tuple[int, int]:
        """Requests and failed ones since the last `take`."""
        with self._lock:
            return self._count.requests, self._count.failed

    def _run(self) -> None:
        while True:
            with self._lock:
                number = self._sent
                self._sent += 1
            due = self._started + number * self._interval
            if self._stopped.wait(max(0.0, due - time.monotonic())):
                return
            self._send(self._rows[number % len(self._rows)])

    def _send(self, row: Sequence[float]) -> None:
        variant, error = "", ""
        try:
            answer = invoke(self._client, self._endpoint, [row])
            variant = answer.variant
            if len(answer.predictions) != 1:
                error = f"one row was sent, {len(answer.predictions)} predictions came back"
        except (ClientError, BotoCoreError, ValueError) as failure:
            error = str(failure)
        with self._lock:
            self._count.requests += 1
            if variant:
                self._count.variants[variant] = self._count.variants.get(variant, 0) + 1
            if error:
                self._count.failed += 1
                self._count.errors.append(error)


@dataclass(frozen=True)
class Answer:
    """An endpoint's answer to a batch: one prediction a row, and the variant that made them."""

    predictions: list[dict[str, float]]
    variant: str


def invoke(client: Any, endpoint: str, rows: Sequence[Sequence[float]]) -> Answer:
    """Ask an endpoint about some rows; raises ClientError or BotoCoreError, or ValueError for no JSON."""
    response = client.invoke_endpoint(
        EndpointName=endpoint,
        ContentType="application/json",
        Accept="application/json",
        Body=json.dumps({"instances": [list(row) for row in rows]}),
    )
    return Answer(json.loads(response["Body"].read()), response["InvokedProductionVariant"])
