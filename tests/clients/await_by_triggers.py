"""Waits by the amazon provider's triggers, as Airflow's triggerer does; a program of its own.

Argument: a JSON list of pairs, the type of job and its name. Prints the events as a JSON list.
"""

import asyncio
import json
import sys

from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger


async def event(job_type: str, name: str) -> object:
    """What the trigger fires for one job."""
    trigger = SageMakerTrigger(
        job_name=name, job_type=job_type, waiter_delay=1, waiter_max_attempts=60, aws_conn_id=None
    )
    async for fired in trigger.run():
        return fired.payload
    raise RuntimeError(f"the trigger of {job_type} {name} ended without an event")


async def main() -> None:
    """Wait for all of them at once."""
    fired = await asyncio.gather(*(event(*job) for job in json.loads(sys.argv[1])))
    print(json.dumps(fired))


asyncio.run(main())
