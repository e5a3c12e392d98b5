"""Clients of the endpoints, who ask all the while: no one of them may meet a model that was not proved."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.chaos.account import Account
from benchmarks.chaos.world import ASKED, WRONG_ANSWER, Deployment
from local_stack.stack import Stack

_PAUSE_SECONDS: Final = 0.3


def ask(runtime: Any, endpoint: str) -> tuple[float, ...]:
    """What the endpoint answers to `ASKED`."""
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint,
        ContentType="application/json",
        Accept="application/json",
        Body=json.dumps(ASKED).encode(),
    )
    return tuple(json.loads(answer["Body"].read()))


@dataclass
class Clients:
    """One thread that asks every endpoint in turn; what is not answered is no concern of its."""

    stack: Stack
    world: list[Deployment]
    account: Account
    answered: int = 0
    unanswered: int = 0
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._ask_on, name="clients", daemon=True).start()

    def stop(self) -> None:
        self._end.set()

    def _ask_on(self) -> None:
        config = Config(read_timeout=3, connect_timeout=2, retries={"total_max_attempts": 1})
        runtime = self.stack.client("sagemaker-runtime", config)
        while not self._end.wait(_PAUSE_SECONDS):
            for deployment in self.world:
                try:
                    found = ask(runtime, deployment.endpoint)
                except (ClientError, BotoCoreError, ValueError):
                    self.unanswered += 1
                    continue
                self.answered += 1
                self._judge(deployment, found)

    def _judge(self, deployment: Deployment, found: tuple[float, ...]) -> None:
        """Under `direct` a candidate serves before it is proved: SageMaker offers no other way there."""
        known = set(deployment.answers.values())
        if not deployment.staged:
            known.add((WRONG_ANSWER,) * len(ASKED))
        if found not in known:
            self.account.violated(
                "no client meets an unproved model", f"{deployment.endpoint} answered {found}"
            )
