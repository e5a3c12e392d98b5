"""Quotas: none until they are set; then the service's own refusal, in its own words."""

import json
import subprocess
import sys
import urllib.parse

import httpx
import pytest

NAME = "ml.m5.large for endpoint usage"
TOTAL = "Number of instances across active endpoints"


@pytest.fixture(scope="module")
def limited(start_server, make_world):
    """A server that allows two ml.m5.large behind endpoints."""
    return make_world(start_server("--quota", f"{NAME}=2"))


@pytest.fixture(autouse=True)
def as_it_was(limited, wait_until):
    yield
    limited.delete(limited.begun)
    call(limited, "PUT", {NAME: 2})
    wait_until(lambda: in_use(limited) == 0, "the instances are free")
    call(limited, "DELETE")
    call(limited, "PUT", {NAME: 2})


def call(world, method, body=None, path="", **headers):
    """A call of /_local/quotas: its status and what it answers."""
    content = None if body is None else json.dumps(body)
    url = f"{world.server.url}/_local/quotas{path}"
    answer = httpx.request(method, url, content=content, headers=headers)
    return answer.status_code, answer.json()


def in_use(world, name=NAME):
    (quota,) = [quota for quota in call(world, "GET")[1]["quotas"] if quota["name"] == name]
    return quota["in_use"]


def refused(limit, used, delta, name=NAME):
    message = (
        f"The account-level service limit '{name}' is {limit} Instances, with current utilization of {used} "
        f"Instances and a request delta of {delta} Instances. Please use AWS Service Quotas to request an "
        "increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an "
        "increase for this quota."
    )
    return "ResourceLimitExceeded", message


def test_11_creating_more_than_the_quota_is_refused_and_leaves_nothing(limited, refusal):
    config = limited.config(limited.variant(limited.model(), count=3))
    name = limited.name()
    assert refusal(
        limited.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=config
    ) == refused(2, 0, 3)
    assert refusal(limited.describe, name)[0] == "ValidationException"
    assert in_use(limited) == 0


def test_what_is_deleted_is_free_again(limited, refusal, wait_until):
    config = limited.config(limited.variant(limited.model(), count=2))
    name = limited.endpoint(config)
    other = limited.name()
    assert refusal(
        limited.sagemaker.create_endpoint, EndpointName=other, EndpointConfigName=config
    ) == refused(2, 2, 2)
    limited.delete([name])
    wait_until(lambda: in_use(limited) == 0, "the instances are free")
    limited.endpoint(config)


def test_an_update_needs_a_second_fleet_while_the_first_one_serves(limited, refusal):
    config = limited.config(limited.variant(limited.model(), count=1))
    name = limited.endpoint(config)
    bigger = limited.config(limited.variant(limited.model(), count=2))
    update = limited.sagemaker.update_endpoint
    assert refusal(update, EndpointName=name, EndpointConfigName=bigger) == refused(2, 1, 2)
    assert limited.describe(name)["EndpointStatus"] == "InService"
    update(EndpointName=name, EndpointConfigName=limited.release())
    assert limited.settled(name)["EndpointStatus"] == "InService"
    assert in_use(limited) == 1


def test_a_resize_needs_the_difference(limited, refusal):
    name = limited.endpoint()

    def resize(count):
        limited.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name,
            DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": count}],
        )

    assert refusal(resize, 3) == refused(2, 1, 2)
    resize(2)
    limited.settled(name)
    assert in_use(limited) == 2


def test_quotas_are_set_and_lifted_while_it_runs(limited, refusal):
    status, answer = call(limited, "PUT", {NAME: 1, TOTAL: 5})
    assert (status, {quota["name"]: quota["limit"] for quota in answer["quotas"]}) == (
        200,
        {NAME: 1, TOTAL: 5},
    )
    config = limited.config(limited.variant(limited.model(), count=2))
    begin = limited.sagemaker.create_endpoint
    assert refusal(begin, EndpointName=limited.name(), EndpointConfigName=config) == refused(1, 0, 2)
    assert call(limited, "DELETE", path=f"/{urllib.parse.quote(NAME)}")[0] == 200
    limited.endpoint(config)
    assert in_use(limited, TOTAL) == 2
    # Lowered below what runs, it stops nothing.
    call(limited, "PUT", {TOTAL: 1})
    assert refusal(begin, EndpointName=limited.name(), EndpointConfigName=config) == refused(1, 2, 2, TOTAL)


def test_a_quota_that_nothing_counts_is_refused(limited):
    before = call(limited, "GET")
    for body, said in (
        ({"ml.m5.large for endpoints": 1}, "unknown quota 'ml.m5.large for endpoints'"),
        ({"ml.m5.huge for endpoint usage": 1}, "ml.m5.huge is no instance type"),
        ({TOTAL: 4, NAME: -1}, "expected a whole number of 0 or more, found -1"),
        ([], "expected an object"),
    ):
        status, answer = call(limited, "PUT", body)
        assert (status, said in answer["error"]) == (400, True), answer
    assert call(limited, "DELETE", path="/missing")[0] == 404
    assert call(limited, "GET") == before


def test_set_quotas_survive_a_restart(start_server, make_world):
    world = make_world(start_server())
    call(world, "PUT", {NAME: 7})
    world.server.end()
    world.server.start()
    assert call(world, "GET")[1]["quotas"] == [
        {"name": NAME, "limit": 7, "in_use": 0, "unit": "Instances"},
    ]


def test_a_page_of_strangers_sets_nothing(limited):
    before = call(limited, "GET")
    host = urllib.parse.urlsplit(limited.server.url).netloc
    for headers in (
        {"Origin": "https://stranger.example"},
        {"Origin": "null"},
        {"Host": "rebound.example", "Origin": "http://rebound.example"},
        {"Host": "rebound.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert call(limited, "PUT", {NAME: 9}, **headers)[0] == 403, headers
    assert call(limited, "GET") == before
    assert call(limited, "PUT", {NAME: 9}, Origin=f"http://{host}")[0] == 200


def test_a_mistyped_option_is_told_what_it_may_be(tmp_path):
    command = [sys.executable, "-m", "local_sagemaker", f"--state-dir={tmp_path}"]
    for option, said in (("ml.m5.large=1", "unknown quota"), ("3", "'3' is no quota; expected 'NAME=N'")):
        ended = subprocess.run(
            [*command, "--quota", option], check=False, capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 2
        assert said in ended.stderr
