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

_PAUSE_SECONDS: Final = 0.5
_NO_ENDPOINT: Final = "not found"


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
    _proved: set[str] = field(default_factory=set)
    """Endpoints at which a good model has answered since they were made."""
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
                except (ClientError, BotoCoreError, ValueError) as error:
                    self.unanswered += 1
                    if _NO_ENDPOINT in str(error):
                        self._proved.discard(deployment.endpoint)
                    continue
                self.answered += 1
                self._judge(deployment, found)

    def _judge(self, deployment: Deployment, found: tuple[float, ...]) -> None:
        """A first release, and any under `direct`, serves before it is proved: SageMaker has no other way."""
        if found in deployment.answers.values():
            self._proved.add(deployment.endpoint)
            return
        proved = deployment.endpoint in self._proved
        if (deployment.staged and proved) or found != (WRONG_ANSWER,) * len(ASKED):
            self.account.violated(
                "no client meets an unproved model", f"{deployment.endpoint} answered {found}"
            )
