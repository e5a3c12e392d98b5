"""A client of an endpoint, as a process of its own: `python -m tests.strategies.client --help`.

Requests leave on a schedule: slow answers do not make them fewer until every worker waits. None is sent
twice. It ends with its standard input, so that it outlives nobody.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_stack.sagemaker import make_client

_VARIANT = "x-amzn-invoked-production-variant"
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30, max_pool_connections=64)


class Client:
    """Sends `per_second` requests a second from `workers` threads, and writes a line for each answer."""

    def __init__(self, runtime: Any, endpoint: str, per_second: float, output: TextIO) -> None:
        self._runtime = runtime
        self._endpoint = endpoint
        self._interval = 1 / per_second
        self._output = output
        self._lock = threading.Lock()
        self._sent = 0
        self._began = time.monotonic()
        self.over = threading.Event()

    def work(self) -> None:
        """Send until it is over."""
        while True:
            with self._lock:
                number = self._sent
                self._sent += 1
            due = self._began + number * self._interval
            if self.over.wait(max(0.0, due - time.monotonic())):
                return
            line = json.dumps(self._ask(number))
            with self._lock:
                self._output.write(f"{line}\n")
                self._output.flush()

    def _ask(self, number: int) -> dict[str, Any]:
        # Three numbers of 100 and more, which repeat after a while, as clients' requests do.
        numbers = [100.0 + (number * step) % 97 for step in (1, 7, 31)]
        sent, began = time.time(), time.monotonic()
        found: dict[str, Any] = {"sent": sent, "request": numbers}
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._endpoint,
                ContentType="application/json",
                Accept="application/json",
                Body=json.dumps(numbers),
            )
            text = answer["Body"].read().decode()
            found |= {
                "status": 200,
                "variant": answer["InvokedProductionVariant"],
                "answer": json.loads(text),
                "release": len(text) - len(text.rstrip(" ")),
            }
        except ClientError as error:
            meta = error.response["ResponseMetadata"]
            variant = meta.get("HTTPHeaders", {}).get(_VARIANT)
            found |= {"status": meta["HTTPStatusCode"], "variant": variant, "error": str(error)}
        except (BotoCoreError, ValueError, OSError) as error:
            found |= {"status": 0, "error": str(error)}
        return found | {"seconds": time.monotonic() - began}


def main() -> None:
    """Send until standard input ends."""
    parser = argparse.ArgumentParser(description="Steady requests to an endpoint.")
    parser.add_argument("--url", required=True, help="the service's address")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--per-second", type=float, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--output", required=True, type=Path, help="file of JSON lines, one an answer")
    asked = parser.parse_args()
    with asked.output.open("w", encoding="utf-8") as output:
        runtime = make_client(asked.url, "sagemaker-runtime", _ONCE)
        client = Client(runtime, asked.endpoint, asked.per_second, output)
        workers = [threading.Thread(target=client.work) for _ in range(asked.workers)]
        for worker in workers:
            worker.start()
        sys.stdin.read()
        client.over.set()
        for worker in workers:
            worker.join()


if __name__ == "__main__":
    main()
