"""Deployments with guardrails: their configurations, alarms, and what a client sees of them."""

import collections
import concurrent.futures
import contextlib
import functools
import http.client
import json
import math
import threading
import urllib.parse

from tests.local_sagemaker.server_process import until


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


REQUESTS = 2000  # that a share is measured over, at least


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

    @property
    def releases(self):
        """Which releases have answered so far."""
        return {answer["release"] for answer in self.answers}

    def draw(self, requests):
        """How many of the next so many requests were answered, and how many failed."""
        before = self._counts()
        return until(
            lambda: (counts := self._counts() - before).total() >= requests and counts,
            f"{requests} requests",
        )

    def _counts(self):
        return collections.Counter(answered=len(self.answers), failed=len(self.errors))

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
    """How many of so many requests each release answered; any error is raised.

    By plain HTTP: thousands of requests take a client like boto3 longer than they take the server.
    """
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        parts = pool.map(functools.partial(_releases, world, name), [requests // threads] * threads)
        return sum(parts, collections.Counter())


def _releases(world, name, requests):
    place = urllib.parse.urlsplit(world.server.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    counts = collections.Counter()
    with contextlib.closing(connection):
        for _ in range(requests):
            connection.request(
                "POST", f"/endpoints/{name}/invocations", b"hello", {"Content-Type": "text/csv"}
            )
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            counts[json.loads(body)["release"]] += 1
    return counts


def tally_while(world, name, stage, wanted, batch=60):
    """So many requests answered by each release, or fewer if the stage is over before; a batch at its edge
    is not counted."""
    total = collections.Counter()
    while total.total() < wanted and stage in stages(world.describe(name)):
        counts = tally(world, name, batch)
        if stage in stages(world.describe(name)):
            total += counts
    return total


def check_shares(draw, shares, *, more=REQUESTS):
    """See that of the requests that `draw` sends each share is as configured, within three standard
    deviations.

    Of 2,000 requests; by chance one in a few hundred of such samples is outside, so there may be one more.
    """
    counts = draw(REQUESTS)
    if not fit(counts, shares):
        counts += draw(more)
    assert counts.total() >= REQUESTS
    assert fit(counts, shares), counts


def fit(counts, shares):
    """Whether each count is its share of the total, within three standard deviations."""
    total = counts.total()
    return counts.keys() <= shares.keys() and all(
        abs(counts[key] - total * share) <= 3 * math.sqrt(total * share * (1 - share))
        for key, share in shares.items()
    )
