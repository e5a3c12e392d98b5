"""Deployments with guardrails: their configurations, alarms, and what a client sees of them."""

import collections
import math
import threading


def size(value, kind="INSTANCE_COUNT"):
    return {"Type": kind, "Value": value}


def blue_green(kind="ALL_AT_ONCE", *, wait=0, termination=0, limit=None, alarms=(), **routing):
    """A DeploymentConfig with a BlueGreenUpdatePolicy."""
    policy = {
        "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **routing},
        "TerminationWaitInSeconds": termination,
    }
    return _with(alarms, BlueGreenUpdatePolicy={**policy, **_limit(limit)})


def rolling(batch, *, wait=0, limit=None, alarms=(), **members):
    """A DeploymentConfig with a RollingUpdatePolicy."""
    policy = {"MaximumBatchSize": batch, "WaitIntervalInSeconds": wait, **members}
    return _with(alarms, RollingUpdatePolicy={**policy, **_limit(limit)})


def _limit(limit):
    return {} if limit is None else {"MaximumExecutionTimeoutInSeconds": limit}


def _with(alarms, **policy):
    if alarms:
        policy["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}
    return policy


class Alarm:
    """A CloudWatch alarm that goes off when it is told to."""

    def __init__(self, world):
        self.name = world.name("Alarm")
        self._cloudwatch = world.server.client("cloudwatch")
        self._cloudwatch.put_metric_alarm(
            AlarmName=self.name,
            Namespace="Test",
            MetricName="Nothing",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )

    def trip(self):
        self._cloudwatch.set_alarm_state(AlarmName=self.name, StateValue="ALARM", StateReason="the test")


class SteadyClient:
    """Requests from a few threads for as long as the block lasts; every answer and error is kept."""

    def __init__(self, world, name, threads=3):
        self._world, self._name = world, name
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        self.answers, self.errors = [], []

    def _run(self):
        while not self._over.is_set():
            try:
                self.answers.append(self._world.answer(self._name))
            except Exception as error:
                self.errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()


def update(world, name, config, deployment):
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, DeploymentConfig=deployment)


def stages(description):
    """(side, status, message) of every variant something happens to."""
    pending = description.get("PendingDeploymentSummary", {})
    return [
        (side, status["Status"], status["StatusMessage"])
        for side, part in (("old", description), ("new", pending))
        for variant in part.get("ProductionVariants", [])
        for status in variant.get("VariantStatus", [])
    ]


def reached(world, name, wait_until, status, text):
    """The description, once a stage of that status, whose message has the text, has begun."""

    def look():
        found = world.describe(name)
        assert found["EndpointStatus"] in ("Updating", "RollingBack"), found
        return next((found for _, is_, message in stages(found) if is_ == status and text in message), None)

    return wait_until(look, f"{status}: {text}")


def tally(world, name, requests, threads=4):
    """How many of so many requests each release answered; any error is raised."""
    counts = collections.Counter()
    errors = []

    def run():
        for _ in range(requests // threads):
            try:
                counts[world.answer(name)["release"]] += 1
            except Exception as error:
                errors.append(error)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert errors == []
    return counts


def tally_while(world, name, stage, batch=200):
    """Requests answered by each release as long as the stage lasts; a batch at its edge is not counted."""
    total = collections.Counter()
    while stage in stages(world.describe(name)):
        counts = tally(world, name, batch)
        if stage in stages(world.describe(name)):
            total += counts
        if sum(total.values()) >= 2000:
            break
    return total


def is_share(count, total, share):
    """Whether `count` of `total` is the share, within three standard deviations."""
    return abs(count - total * share) <= 3 * math.sqrt(total * share * (1 - share))
