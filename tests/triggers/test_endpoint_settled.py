"""The trigger and its shared poller, over HTTP, against the local SageMaker."""

import asyncio
import time
from pkgutil import resolve_name
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent
from botocore.exceptions import ClientError

from endpoint_deploy.aws.poller import EndpointPoller
from endpoint_deploy.core.observed import IN_PROGRESS, ObservedEndpoint
from endpoint_deploy.triggers.endpoint_settled import EndpointSettledTrigger
from tests.triggers.conftest import REGION, Endpoints
from tests.triggers.wire import Wire

_POLL = 0.05
_FAR = 3600.0


def waiting(wire: Wire, endpoint: str, seconds: float = _FAR, **more: Any) -> "asyncio.Task[TriggerEvent]":
    """The trigger's only event, as a task; its wait runs through the wire."""
    trigger = EndpointSettledTrigger(
        conn_id=wire.conn_id,
        region=REGION,
        endpoint=endpoint,
        poll_seconds=_POLL,
        deadline=time.time() + seconds,
        **more,
    )
    return asyncio.create_task(anext(trigger.run()))  # type: ignore[arg-type]  # an async generator's


async def told(task: "asyncio.Task[TriggerEvent]") -> Any:
    return (await task).payload


@pytest.mark.parametrize("status", ["InService", "Failed", "OutOfService", "UpdateRollbackFailed"])
async def test_fires_once_the_endpoint_is_no_longer_changing(
    wire: Wire, endpoints: Endpoints, status: str
) -> None:
    (name,) = endpoints.make(1, "Updating")
    event = waiting(wire, name)
    await wire.passed("DescribeEndpoint", 3)
    assert not event.done()
    endpoints.put(name, status)
    assert await told(event) == {"settled": True}


async def test_an_endpoint_that_is_gone_has_settled(wire: Wire) -> None:
    assert await told(waiting(wire, "there-is-none")) == {"settled": True}


async def test_the_deadline_ends_the_wait_and_says_so(wire: Wire, endpoints: Endpoints) -> None:
    (name,) = endpoints.make(1)
    assert await told(waiting(wire, name, seconds=0.5)) == {"settled": False}
    assert await told(waiting(wire, name, seconds=-1)) == {"settled": False}


async def test_in_service_without_the_planned_variants_is_still_changing(
    wire: Wire, endpoints: Endpoints
) -> None:
    (name,) = endpoints.make(1, "InService")
    short = [{"name": "only", "count": 1, "weight": 1.0}]
    event = waiting(wire, name, config=endpoints.config, variants=short)
    await wire.passed("DescribeEndpoint", 3)
    assert not event.done()
    endpoints.put(name, "Failed")
    assert await told(event) == {"settled": True}


async def test_in_service_on_another_configuration_has_settled(wire: Wire, endpoints: Endpoints) -> None:
    (name,) = endpoints.make(1, "InService")
    assert await told(waiting(wire, name, config="the-one-asked-for")) == {"settled": True}


async def test_thirty_waits_share_one_connection_and_a_list_a_round(wire: Wire, endpoints: Endpoints) -> None:
    names = endpoints.make(30)
    wire.hold()
    events = [waiting(wire, name) for name in names]
    wire.release()
    # By the third round every wait has joined: the first lists each state in progress, the others only the
    # one in which the endpoints are, and none describes anything.
    await wire.passed("ListEndpoints", len(IN_PROGRESS) + 2)
    assert wire.calls["DescribeEndpoint"] == 0
    assert not any(event.done() for event in events)
    wire.hold()
    before = wire.calls["ListEndpoints"]
    for name in names:
        endpoints.put(name, "InService")
    wire.release()
    assert [await told(event) for event in events] == [{"settled": True}] * 30
    assert sorted(wire.seen["DescribeEndpoint"]) == sorted(names)
    # That round lists the other states too, rather than describe so many that may be in one of them.
    assert wire.calls["ListEndpoints"] - before <= len(IN_PROGRESS) + 1
    assert set(wire.calls) == {"ListEndpoints", "DescribeEndpoint"}
    assert len(wire.connections) == 1


async def test_many_that_begin_to_be_updated_are_still_waited_for_by_lists(
    wire: Wire, endpoints: Endpoints
) -> None:
    names = endpoints.make(30)
    events = [waiting(wire, name) for name in names]
    await wire.passed("ListEndpoints", 2 * len(IN_PROGRESS))
    described = wire.calls["DescribeEndpoint"]
    wire.hold()
    for name in names:
        endpoints.put(name, "Updating")
    wire.release()
    await wire.passed("ListEndpoints", 3 * len(IN_PROGRESS))
    assert wire.calls["DescribeEndpoint"] == described
    assert not any(event.done() for event in events)
    endpoints.put(names[0], "InService")
    assert await told(events[0]) == {"settled": True}
    assert not any(event.done() for event in events[1:])


async def test_waits_for_one_endpoint_share_its_description(wire: Wire, endpoints: Endpoints) -> None:
    (name,) = endpoints.make(1)
    events = [waiting(wire, name) for _ in range(30)]
    await wire.passed("DescribeEndpoint", 3)
    assert wire.calls["ListEndpoints"] == 0
    wire.hold()
    endpoints.put(name, "InService")
    before = wire.calls["DescribeEndpoint"]
    wire.release()
    assert [await told(event) for event in events] == [{"settled": True}] * 30
    # At most the call that was held and one more.
    assert wire.calls["DescribeEndpoint"] - before <= 2


async def test_a_wait_that_is_cancelled_leaves_the_others(wire: Wire, endpoints: Endpoints) -> None:
    one, other = endpoints.make(2)
    dropped, kept = waiting(wire, one), waiting(wire, other)
    await wire.passed("DescribeEndpoint", 4)
    dropped.cancel()
    endpoints.put(other, "InService")
    assert await told(kept) == {"settled": True}
    assert dropped.cancelled()


@pytest.mark.parametrize(("status", "code"), [(400, "ThrottlingException"), (503, "ServiceUnavailable")])
async def test_throttling_and_a_service_in_trouble_are_survived(
    wire: Wire, endpoints: Endpoints, status: int, code: str
) -> None:
    (name,) = endpoints.make(1, "InService")
    # More than botocore's own tries of one call.
    wire.refuse("DescribeEndpoint", status, code, times=4)
    assert await told(waiting(wire, name)) == {"settled": True}
    assert wire.calls["DescribeEndpoint"] >= 5


async def test_an_unknown_error_reaches_every_wait_and_the_next_starts_anew(
    wire: Wire, endpoints: Endpoints
) -> None:
    one, other = endpoints.make(2)
    events = [waiting(wire, one), waiting(wire, other)]
    await wire.passed("DescribeEndpoint", 4)
    wire.refuse("DescribeEndpoint", 400, "AccessDeniedException")
    for event in events:
        with pytest.raises(ClientError, match="AccessDeniedException"):
            await event
    # By a client of its own, from the connection as it is now: its credentials may have been renewed.
    endpoints.put(one, "InService")
    (first,) = wire.connections
    assert await told(waiting(wire, one)) == {"settled": True}
    assert wire.connections > {first}


async def test_the_poller_returns_what_it_saw(wire: Wire, endpoints: Endpoints) -> None:
    (name,) = endpoints.make(1, "OutOfService")
    poller = EndpointPoller.shared(wire.conn_id, REGION)
    assert poller is EndpointPoller.shared(wire.conn_id, REGION)
    assert poller is not EndpointPoller.shared(wire.conn_id, "eu-west-2")
    seen = await poller.wait(name, lambda found: found is not None, _POLL)
    assert isinstance(seen, ObservedEndpoint)
    assert (seen.name, seen.status) == (name, "OutOfService")


def test_a_stored_trigger_is_made_again_as_it_was() -> None:
    trigger = EndpointSettledTrigger(
        conn_id="aws_default",
        region=REGION,
        endpoint="churn-prod",
        poll_seconds=30,
        deadline=1_900_000_000.0,
        config="churn-prod-1",
        variants=[{"name": "a", "count": 2, "weight": 0.5}],
    )
    path, arguments = trigger.serialize()
    # The path is in metadata databases: it may only change together with a shim at the old place.
    assert path == "endpoint_deploy.triggers.endpoint_settled.EndpointSettledTrigger"
    assert resolve_name(path) is EndpointSettledTrigger
    assert resolve_name(path)(**arguments).serialize() == (path, arguments)
