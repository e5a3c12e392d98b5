"""Looks of which an answer of AWS is lost: taken again they are what they were, and nothing is sent twice."""

from collections.abc import Callable
from typing import Any

from tests.analysis.conftest import Release
from tests.deploy.conftest import proxy
from tests.deploy.fault_proxy import FaultProxy

__all__ = ["proxy"]

Make = Callable[..., Release]
ANALYSIS: dict[str, Any] = {
    "metrics": [
        {"kind": "error_rate", "negligible": 0.5, "least": 2, "samples": 8},
        {
            "kind": "error_rate",
            "name": "ours",
            "source": "replay",
            "negligible": 0.5,
            "least": 2,
            "samples": 8,
        },
    ],
    "replay": {"requests_per_look": 3, "concurrency": 1},
    "delay_seconds": 0,
}


def test_a_look_survives_the_loss_of_any_answer(release: Make, proxy: FaultProxy) -> None:
    struck = 0
    for number in range(1, 40):
        proxy.arm(number)
        one, tries = release(ANALYSIS), 0
        look = None
        while look is None and tries < 3:
            tries += 1
            try:
                look = one.look("same")
            except Exception:  # whatever boto3 makes of a connection that is cut
                if not proxy.cut:
                    raise
        assert look is not None, proxy.cut
        cut, at = proxy.cut, f"answer {number} lost: {proxy.cut}"
        proxy.arm(0)
        if not cut:
            break
        struck += 1
        stored = one.stored()
        assert sorted(stored) == ["look-001.json", "replay-001.json"], at
        assert stored["look-001.json"]["judgement"] == look.judgement.model_dump(mode="json"), at
        replay = stored["replay-001.json"]
        assert len(replay["pairs"]) + replay["left_out"] == 3, at
        assert one.look("same") == look, at
    # Two reads, CloudWatch, six requests, two writes.
    assert struck >= 10
