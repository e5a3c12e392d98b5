"""A release in steps that the analysis judges by requests such as clients send, replayed to both sides."""

import json
from typing import Any

from tests.deploy.rig import Rig

# Gross faults only, by few samples: whether fine ones are found is the judge's own matter (docs/judge.md).
ANALYSIS: dict[str, Any] = {
    "metrics": [
        {"kind": "error_rate", "source": "replay", "negligible": 0.1, "least": 20, "samples": 80},
        {
            "kind": "latency_quantile",
            "quantile": 0.5,
            "tolerated": 5,
            "unacceptable": 15,
            "stop_at": 2000,
            "least": 20,
            "samples": 80,
        },
        {
            "kind": "disagreement",
            "of": "numbers",
            "absolute": 0.001,
            "tolerated": 0.1,
            "unacceptable": 0.4,
            "least": 20,
            "samples": 80,
        },
    ],
    "replay": {
        "smoke_tests": False,
        "payloads": [{"payload": "real.jsonl", "lines": True}],
        "requests_per_look": 40,
        "seconds_per_look": 30,
    },
    "on_inconclusive": "fail",
}


def judged(rig: Rig, steps: list[int], *, watch: int = 0, **analysis: Any) -> None:
    """Write a spec of such a release, and the requests that are replayed."""
    write_requests(rig)
    rig.spec(
        release={
            "strategy": "staged",
            "steps": steps,
            "step": {"least_seconds": 2, "most_seconds": 300, "look_seconds": 0.5},
            "watch": {"seconds": watch, "look_seconds": 0.5},
        },
        analysis={**ANALYSIS, **analysis},
    )


def write_requests(rig: Rig) -> None:
    """The file of requests that are replayed."""
    lines = (json.dumps([200.0 + number, 300.0 + number]) for number in range(400))
    (rig.specs / "real.jsonl").write_text("\n".join(lines) + "\n")
