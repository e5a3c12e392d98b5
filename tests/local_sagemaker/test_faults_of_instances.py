"""Faults of instances: on their way up, and while requests are in them."""

import contextlib
import itertools
import threading
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.fault_calls import FaultCalls

NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. "
    "Please retry using a different ML instance type."
)


@pytest.fixture(scope="module")
def faulty(start_server, make_world):
    return make_world(start_server())


@pytest.fixture
def faults(faulty):
    made = FaultCalls(faulty.server)
    yield made
    made.clear()
    faulty.delete(faulty.begun)


def outcomes(world, name, number, body="hello"):
    """The answers' HTTP status codes to so many requests in a row; of the model's errors, its own."""
    found = []
    for _ in range(number):
        try:
            world.invoke(name, body)
            found.append(200)
        except ClientError as error:
            answer = error.response
            found.append(answer.get("OriginalStatusCode") or answer["ResponseMetadata"]["HTTPStatusCode"])
    return found


def test_without_capacity_a_create_is_accepted_and_fails(faults, faulty):
    name = faulty.name()
    faults.add("insufficient_capacity", kind="endpoint", name=name, instance_type="ml.m5.*", count=1)
    faulty.begun.append(name)
    faulty.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=faulty.release())
    settled = faulty.settled(name)
    assert (settled["EndpointStatus"], settled["FailureReason"]) == ("Failed", NO_CAPACITY)


def test_without_capacity_an_update_rolls_back(faults, faulty):
    live, bigger = faulty.release(), faulty.config(faulty.variant(faulty.model(), count=3))
    name = faulty.endpoint(live)
    faults.add("insufficient_capacity", config=bigger, after=2)
    faulty.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=bigger)
    settled = faulty.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", live)
    assert settled["FailureReason"] == NO_CAPACITY
    assert outcomes(faulty, name, 2) == [200, 200]


def test_slow_provisioning_takes_its_time_of_the_services_clock(faults, faulty):
    config = faulty.release()
    name = faulty.name()
    faults.add("slow_provisioning", name=name, seconds=20)  # 1 s at the tests' time scale
    began = time.monotonic()
    faulty.begun.append(name)
    faulty.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    assert faulty.describe(name)["EndpointStatus"] == "Creating"
    assert faulty.settled(name)["EndpointStatus"] == "InService"
    assert time.monotonic() - began >= 1


def test_stuck_provisioning_is_stuck_until_it_is_removed(faults, faulty):
    name = faulty.endpoint()
    next_one = faulty.release()
    stuck = faults.add("stuck_provisioning", config=next_one)
    faulty.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=next_one)
    assert outcomes(faulty, name, 3) == [200] * 3
    assert faulty.describe(name)["EndpointStatus"] == "Updating"
    assert faults.counted(stuck) == (1, 1)
    faults.remove(stuck)
    settled = faulty.settled(name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", next_one)


def test_a_ping_that_hangs_holds_up_a_model_that_is_loaded(faults, faulty, wait_until):
    hanging = faults.add("replica_hangs", count=1)
    name = faulty.begin(faulty.release())

    def loaded():
        with contextlib.suppress(urllib.error.HTTPError):
            return "Model loaded" in faulty.server.page(f"/_local/endpoints/{name}/logs")

    wait_until(loaded, "the model is loaded")
    assert faults.counted(hanging) == (1, 1)
    assert {faulty.describe(name)["EndpointStatus"] for _ in range(20)} == {"Creating"}
    faults.add("replica_dies", endpoint=name, now=True)
    settled = faulty.settled(name)
    assert settled["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in settled["FailureReason"]


def test_a_replica_dies_with_the_request_in_it_and_is_replaced(faults, faulty, wait_until):
    name = faulty.endpoint()
    (pid,) = faulty.server.replica_pids(name)
    faults.add("replica_dies", endpoint=name, after=2, count=1)
    assert outcomes(faulty, name, 3) == [200, 200, 503]
    wait_until(lambda: faulty.server.replica_pids(name) not in ([], [pid]), "it is replaced")
    assert outcomes(faulty, name, 3) == [200] * 3


def test_one_of_several_dies_now(faults, faulty, wait_until):
    name = faulty.endpoint(faulty.config(faulty.variant(faulty.model(), count=3)))
    before = faulty.server.replica_pids(name)
    killed = faults.add("replica_dies", endpoint=name, index=1, now=True)
    assert faults.counted(killed) == (1, 1)

    def replaced():
        now = faulty.server.replica_pids(name)
        return len(now) == 3 and len(set(now) & set(before)) == 2

    wait_until(replaced, "one of the three is another process")


def test_a_death_under_load_loses_no_request_that_was_not_in_it(faults, faulty, wait_until):
    """Whatever is lost was sent before the first loss was noticed: nothing goes to a dead instance."""
    name = faulty.endpoint(faulty.config(faulty.variant(faulty.model(), count=3)))
    faults.add("replica_dies", endpoint=name, index=0, after=40, count=1)
    numbers = itertools.count()
    enough = threading.Event()
    lost, answered = [], []

    def work():
        client = faulty.server.client("sagemaker-runtime")
        while not enough.is_set():
            if next(numbers) >= 450:
                enough.set()
            sent = time.monotonic()
            try:
                client.invoke_endpoint(EndpointName=name, Body=b"x", ContentType="text/csv")
                answered.append(sent)
            except ClientError:
                lost.append((sent, time.monotonic()))

    with ThreadPoolExecutor(6) as threads:
        for task in [threads.submit(work) for _ in range(6)]:
            task.result()
    noticed = min(heard for _, heard in lost)
    assert 1 <= len(lost) <= 6
    assert all(sent <= noticed for sent, _ in lost)
    assert len([sent for sent in answered if sent > noticed]) > 150
    wait_until(lambda: len(faulty.server.replica_pids(name)) == 3, "there are three again")


def test_a_leak_grows_at_each_request_until_it_is_killed_for_it(faults, faulty, wait_until):
    name = faulty.endpoint()
    (pid,) = faulty.server.replica_pids(name)
    faults.add("replica_leaks", endpoint=name, index=0, megabytes=40, limit_megabytes=130)
    sizes = [resident(pid)]
    for _ in range(3):
        assert outcomes(faulty, name, 1) == [200]
        sizes.append(resident(pid))
    assert all(later - earlier > 35 for earlier, later in itertools.pairwise(sizes))
    assert outcomes(faulty, name, 1) == [503]
    wait_until(lambda: faulty.server.replica_pids(name) not in ([], [pid]), "it is replaced")
    assert outcomes(faulty, name, 2) == [200, 200]
    assert "Out of memory" in faulty.server.page(f"/_local/endpoints/{name}/logs")


def resident(pid):
    """Megabytes that a process has in memory."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - not a file of ours
        return int(file.read().split()[1]) * 4096 / 2**20


def test_a_slow_replica_is_busy_all_the_while(faults, faulty):
    name = faulty.endpoint()
    faults.add("replica_slow", endpoint=name, delay=0.4)
    began = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        for answer in [threads.submit(faulty.invoke, name) for _ in range(3)]:
            answer.result()
    # One worker: the three wait for each other.
    assert time.monotonic() - began >= 1.2


def test_only_the_new_fleet_answers_with_errors(faults, faulty):
    name = faulty.endpoint()
    bad = faulty.release()
    faults.add("replica_errors", config=bad, status=507, body="disk full", probability=0.5)
    assert outcomes(faulty, name, 5) == [200] * 5
    faulty.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=bad)
    faulty.settled(name)
    found = outcomes(faulty, name, 30)
    assert set(found) == {200, 507}
    # Chance is foretold by seed, id and number: a rule of the same id does the same again.
    faults.clear()
    faults.add("replica_errors", id="replica_errors-again", config=bad, status=507, probability=0.5)
    first = outcomes(faulty, name, 20)
    faults.clear()
    faults.add("replica_errors", id="replica_errors-again", config=bad, status=507, probability=0.5)
    assert outcomes(faulty, name, 20) == first


def test_a_model_sees_nothing_of_what_goes_wrong_with_it(faults, faulty):
    name = faulty.endpoint(faulty.release("context"))
    faults.add("replica_slow", endpoint=name, delay=0)
    assert faulty.invoke(name)["Body"].read() == b"nothing"
