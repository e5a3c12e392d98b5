"""The pages in Airflow's UI: how fast the first one answers, what it asks of AWS, and how both grow.

Measured over HTTP, against Airflow's own API server with the plugin. *First* is the first request of all to
a server that has just started: nothing is imported yet, no spec read, nothing remembered. AWS calls are
those that the local SageMaker has counted until that request was answered.
"""

import contextlib
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from benchmarks.local_sagemaker import running_server
from benchmarks.pages_world import Airflow, World
from benchmarks.results import Result

SIZES = (50, 200, 800)  # deployments
GOAL_SIZE = 200
RELEASES_EACH = {50: 25, 200: 25, 800: 5}  # of those that come to a size: 200 deployments have 5,000
ROUNDS = 3
AGAIN = 10
FAR_SECONDS = 0.05
_PAGE = "/endpoint-deploy/endpoints"
_ENDPOINTS_A_CALL = 100  # ListEndpoints' MaxResults is at most 100
_OLD_SECONDS = 3.5  # what is remembered of lists is asked for anew after 3 s
_LIMIT_SECONDS = 1.0
_GOAL_EXPONENT = 0.8  # of the time by the number of deployments: 1 is growth in proportion


@dataclass(frozen=True)
class Look:
    """Seconds of the first page and AWS calls made for it; of a page looked at again, and then when old."""

    first: float
    calls: int
    again: float
    renewed: float


def run() -> list[Result]:
    """Every figure of the pages."""
    with _world() as (world, airflow):
        looks: dict[int, list[Look]] = {}
        releases: dict[int, int] = {}
        far: list[Look] = []
        for size in SIZES:
            airflow.list_dags(world.grow(size, RELEASES_EACH[size]))
            releases[size] = world.releases
            looks[size] = [_look(world, airflow, size) for _ in range(ROUNDS)]
            if size == GOAL_SIZE:
                with world.delayed(FAR_SECONDS):
                    far = [_look(world, airflow, size) for _ in range(ROUNDS)]
    results = []
    for size in SIZES:
        of = f"of {size} deployments with {releases[size]:,} releases"
        first = f"page {of}, the first of a new server"
        results += [
            _seconds(first, [each.first for each in looks[size]], goal=size == GOAL_SIZE),
            _calls(f"{first}: AWS calls", size, looks),
            _seconds(f"page {of}, looked at again", [each.again for each in looks[size]]),
            _seconds(f"page {of}, its lists asked for anew", [each.renewed for each in looks[size]]),
        ]
        if size == GOAL_SIZE:
            slow = f"{first}, each AWS call {FAR_SECONDS * 1000:.0f} ms longer"
            results.append(_seconds(slow, [each.first for each in far]))
    return [*results, _growth(looks)]


@contextlib.contextmanager
def _world() -> Iterator[tuple[World, Airflow]]:
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as ready:
        directory = Path(name)
        directory.chmod(0o755)  # as root, PostgreSQL's own user must be able to enter
        world = World(directory, ready["endpoint_url"], ready["execution_role_arn"])
        airflow = Airflow(directory, ready["endpoint_url"], world.specs)
        with airflow.database():
            yield world, airflow


def _look(world: World, airflow: Airflow, size: int) -> Look:
    with airflow.api_server() as client:
        before = world.calls()
        first = _ask(client, size)
        calls = world.calls() - before
        again = median(_ask(client, size) for _ in range(AGAIN))
        time.sleep(_OLD_SECONDS)
        return Look(first, calls, again, renewed=_ask(client, size))


def _ask(client: httpx.Client, size: int) -> float:
    """Seconds until the page is there; raises where it is not whole."""
    began = time.perf_counter()
    answer = client.get(_PAGE)
    seconds = time.perf_counter() - began
    page = answer.raise_for_status().json()
    serving = all(row["state"] == "InService" and row["live"] for row in page["deployments"])
    if page["total"] != size or page["problems"] or not serving:
        raise RuntimeError(f"expected {size} deployments in service, found {answer.text[:2000]}")
    return seconds


def _seconds(name: str, found: list[float], *, goal: bool = False) -> Result:
    limit = 1.0 if goal else None
    return Result(name, median(found), _LIMIT_SECONDS, "s", "the limit", limit, at_least=False)


def _calls(name: str, size: int, looks: dict[int, list[Look]]) -> Result:
    """Against what the smallest page asks, and a call for each further page of ListEndpoints."""
    fewest = median(each.calls for each in looks[SIZES[0]])
    pages, least = (math.ceil(each / _ENDPOINTS_A_CALL) for each in (size, SIZES[0]))
    found = median(each.calls for each in looks[size])
    allowed = fewest + pages - least
    why = f"the calls for {SIZES[0]}, and one per further {_ENDPOINTS_A_CALL} endpoints"
    return Result(name, found, allowed, "", why, 1.0, at_least=False)


def _growth(looks: dict[int, list[Look]]) -> Result:
    few, many = SIZES[0], SIZES[-1]
    times = [median(each.first for each in looks[size]) for size in (few, many)]
    exponent = math.log(times[1] / times[0]) / math.log(many / few)
    name = f"growth of the first page's time from {few} to {many} deployments: exponent"
    return Result(name, exponent, 1.0, "", "growth in proportion", _GOAL_EXPONENT, at_least=False)
