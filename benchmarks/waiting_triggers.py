"""Triggers in Airflow's TriggerRunner: `python -m benchmarks.waiting_triggers ours|provider POLL_SECONDS`.

A process of its own, so that what it adds to its memory is theirs. Each line on stdin is a JSON list of
endpoints to wait for, one trigger each. Each line on stdout is a JSON object: `{"ready": true}` once the
triggers' module is imported, and for every event the endpoint, its payload and when it came (seconds since
the epoch). Left out of a triggerer is only its supervisor, which reads workloads from the database.
"""

import asyncio
import json
import logging
import sys
import time
from typing import Any

import structlog
from airflow.executors.workloads import RunTrigger
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.models.trigger import Trigger

from local_stack.airflow_env import REGION

_OURS = "endpoint_deploy.triggers.endpoint_settled.EndpointSettledTrigger"
_PROVIDER = "airflow.providers.amazon.aws.triggers.sagemaker.SageMakerTrigger"
_LONG = 3600  # seconds: longer than anything here


async def main() -> None:
    """Run triggers until stdin ends."""
    side, poll_seconds = sys.argv[1], float(sys.argv[2])
    # Lines of INFO go to the triggerer's log on both sides alike; here nobody reads them.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    runner = TriggerRunner()
    runner.get_trigger_by_classpath(_OURS if side == "ours" else _PROVIDER)
    watchdog = asyncio.create_task(runner.block_watchdog())
    asked = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    print(json.dumps({"ready": True}), flush=True)
    names: dict[int, str] = {}
    telling = asyncio.create_task(_tell(runner, names))
    while line := await asked.readline():
        for name in json.loads(line):
            number = len(names) + 1
            names[number] = name
            runner.to_create.append(_workload(number, side, name, poll_seconds))
        await runner.create_triggers()
    watchdog.cancel()
    telling.cancel()


def _workload(number: int, side: str, name: str, poll_seconds: float) -> RunTrigger:
    if side == "ours":
        arguments: dict[str, Any] = {
            "conn_id": "aws_default",
            "region": REGION,
            "endpoint": name,
            "poll_seconds": poll_seconds,
            "deadline": time.time() + _LONG,
        }
    else:
        arguments = {
            "job_name": name,
            "job_type": "endpoint",
            "waiter_delay": int(poll_seconds),
            "waiter_max_attempts": _LONG,
            "aws_conn_id": "aws_default",
            "region_name": REGION,
        }
    return RunTrigger(
        id=number,
        ti=None,
        classpath=_OURS if side == "ours" else _PROVIDER,
        encrypted_kwargs=Trigger.encrypt_kwargs(arguments),
    )


async def _tell(runner: TriggerRunner, names: dict[int, str]) -> None:
    """Events as soon as they are in the runner's queue; a trigger that ends without one is an error."""
    while True:
        while runner.events:
            entry = runner.events.popleft()
            said = {"endpoint": names[entry.trigger_id], "at": time.time(), "event": entry.event.payload}
            print(json.dumps(said), flush=True)
        for details in runner.triggers.values():
            task = details["task"]
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise RuntimeError(f"{details['name']} failed") from task.exception()
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main())
