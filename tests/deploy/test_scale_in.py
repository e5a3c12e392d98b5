"""Scale-in is given back however a release ends, also where nothing is rolled back."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, Rig
from tests.deploy.scaler import Scaler, only, with_autoscaling

pytestmark = AS_IN_PRODUCTION


@pytest.fixture
def refuses(local_sagemaker: Any) -> Iterator[Callable[[Rig, str], None]]:
    """Have the service refuse an operation on a rig's endpoint, for good."""
    made: list[str] = []
    url = f"{local_sagemaker.url}/_local/faults"

    def refuse(rig: Rig, operation: str) -> None:
        rule = {"fault": "error", "service": "sagemaker", "operation": operation, "resource": rig.endpoint}
        answer = httpx.post(url, json={**rule, "code": "ValidationException", "message": "not now"})
        answer.raise_for_status()
        made.append(answer.json()["faults"][0]["id"])

    yield refuse
    for each in made:
        httpx.delete(f"{url}/{each}").raise_for_status()


def test_an_update_that_is_refused_changes_nothing_and_gives_scale_in_back(
    rig: Rig, refuses: Callable[[Rig, str], None]
) -> None:
    scaler = Scaler(rig)
    with_autoscaling(rig)
    assert rig.deploy(bias=1).outcome == "released"
    champion = only(rig)["VariantName"]
    before = scaler.all_of(champion)
    refuses(rig, "UpdateEndpoint")
    with scaler.watched() as seen:
        run = rig.deploy(bias=2)
    assert run.outcome == "failed", run
    assert run.tasks["roll_back"] == "skipped"
    assert (champion, True) in seen
    assert list(scaler.targets()) == [champion]
    assert scaler.all_of(champion) == before


def test_an_endpoint_that_is_left_for_a_person_may_scale_in(rig: Rig) -> None:
    scaler = Scaler(rig)
    with_autoscaling(rig, rollback={"enabled": False})
    assert rig.deploy(bias=1).outcome == "released"
    before = scaler.all_of(only(rig)["VariantName"])
    with scaler.watched() as seen:
        run = rig.deploy("raises", bias=2)
    assert run.outcome == "failed", run
    assert run.tasks["roll_back"] == "skipped"
    assert len({name for name, held in seen if held}) == 2, seen
    # Champion and candidate stand side by side, as the failed task has left them.
    standing = [variant["VariantName"] for variant in rig.describe()["ProductionVariants"]]
    assert len(standing) == 2
    assert sorted(scaler.targets()) == sorted(standing)
    for name in standing:
        assert scaler.all_of(name) == before
