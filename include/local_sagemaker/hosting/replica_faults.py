"""What goes wrong inside an instance when the front says so; read by replica_server only if it does.

Like replica_server, it imports nothing of this package.
"""

import json
import os
import signal
import time

_leaked: list[bytes] = []


def suffer(told: str) -> tuple[int, dict[str, str], bytes] | None:
    """Do what the fault says, in the worker that has the request; an answer if there is one already."""
    fault = json.loads(told)
    if fault.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(fault.get("delay", 0.0))
    if leak := fault.get("leak"):
        _leak(leak, fault["limit"])
    if status := fault.get("status"):
        print(fault["body"], flush=True)
        return status, {"content-type": "text/plain"}, fault["body"].encode()
    return None


def hangs(told: str) -> bool:
    """Whether a ping is to have no answer."""
    return bool(json.loads(told).get("hang"))


def _leak(size: int, limit: int | None) -> None:
    _leaked.append(b"\x01" * size)  # written, so that it is resident
    kept = sum(len(block) for block in _leaked)
    print(f"Leaked {size} bytes, {kept} in all", flush=True)
    if limit is not None and kept > limit:
        print(f"Out of memory: more than {limit} bytes", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
