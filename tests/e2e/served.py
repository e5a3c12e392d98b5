"""A deployment whose releases are ended from outside, and what must hold after each of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.e2e.aborting import Middle, Release, Task
from tests.e2e.live import LiveRig

TAKEN_BACK = {"rolled_back", "failed"}
Made = tuple[set[str], set[str]]
Rule = Callable[[dict[str, Any]], dict[str, Any]]


class Served:
    """A deployment under releases that are ended from outside; `bias` is that of the release that serves."""

    def __init__(self, rig: LiveRig) -> None:
        self.rig = rig
        self.release = Release(rig)
        self.bias = self.tried = 0
        self.released()

    def next(self) -> int:
        """The bias of a release that was never tried."""
        self.tried += 1
        return self.tried

    def released(self) -> None:
        """Release a model that nobody disturbs."""
        run = self.rig.deploy(bias=self.next())
        assert run.outcome == "released", run
        self.bias = self.tried

    def end(self, task: Task, middle: Middle, how: Rule, strike: Callable[[str], None], at: str) -> None:
        """End a new release in the middle of a task: it is taken back."""
        made = self.rig.made()
        with self.release.held({task.id: (task, middle)}, how) as held:
            run_id = self.rig.start(artifact=self.rig.artifact(bias=self.next()))
            self.release.await_held(held, task)
            struck = datetime.now(UTC)
            strike(run_id)
            # On a busy machine the blow may come when the task, or the release, is through.
            through = self.release.ended(run_id, task.id) < struck
            self.check(run_id, TAKEN_BACK | ({"released"} if through else set()), at, made)

    def check(self, run_id: str, allowed: set[str], at: str, made: Made) -> None:
        """One complete release, a ledger that says which, a lock that is free, nothing left over."""
        run = self.rig.end(run_id)
        at = f"{at}: {run}, {run.tasks}"
        assert run.outcome in allowed, at
        assert run.state == ("success" if run.outcome == "released" else "failed"), at
        if run.outcome == "released":
            self.bias = self.tried
        else:
            assert self.rig.made() == made, at
        described = self.rig.describe()
        assert described["EndpointStatus"] == "InService", at
        (variant,) = described["ProductionVariants"]
        assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (1.0, 1), at
        assert self.rig.predict() == [1.0 + self.bias, 2.0 + self.bias, 3.0 + self.bias], at
        record = self.rig.ledger()[-1]
        assert record["run"]["run_id"] == run_id, at
        assert record["outcome"] == run.outcome, at
        live = described["EndpointConfigName"]
        assert record["config_after"] == run.result["config_after"] == live, at
        assert self.rig.locks() == [], at

    def share(self) -> float:
        """The candidate's share of the traffic; 0 where none stands beside the champion."""
        weights = [variant["DesiredWeight"] for variant in self.rig.describe()["ProductionVariants"]]
        return weights[-1] / sum(weights) if len(weights) == 2 else 0.0

    def stages(self) -> list[dict[str, Any]]:
        """What the newest record says of the steps."""
        return list(self.rig.ledger()[-1]["evidence"]["shift_traffic"]["stages"])

    def clean(self, its_spec: dict[str, Any]) -> None:
        """What the sentinel leaves: the live configuration and its model."""
        live = self.rig.describe()["EndpointConfigName"]
        # Not before: Airflow makes up for a scheduled run at once, and a release would wait for its lock.
        self.rig.spec(**its_spec, retention={"releases": 1, "schedule": "0 0 1 1 *"})
        self.rig.airflow.wait_for_dag(self.rig.dag_id("sentinel"), seconds=300)
        assert self.rig.run("sentinel").state == "success"
        config = self.rig.sagemaker.describe_endpoint_config(EndpointConfigName=live)
        assert self.rig.made() == ({live}, {each["ModelName"] for each in config["ProductionVariants"]})
