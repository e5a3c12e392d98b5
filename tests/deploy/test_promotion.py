"""What one environment has proved is what the next one releases, byte for byte, and nothing else."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from endpoint_deploy.core.problems import InvalidSpec
from endpoint_deploy.dag_builders.specs import load_directory, load_file
from tests.deploy.packages import Group, published
from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig, Run

pytestmark = AS_IN_PRODUCTION
_PLAIN = [{"name": "numbers", "payload": "numbers.json"}]
_FROM = {"promotion": {"from_environment": "test"}, "smoke_tests": _PLAIN}


@pytest.fixture
def prod(rig: Rig) -> Iterator[Rig]:
    """Another environment of the deployment, with a store of its own, that releases what the rig has."""
    rig.spec(smoke_tests=_PLAIN)
    made = Rig(specs=rig.specs, clients=rig.clients, name=rig.name, environment="prod")
    made.spec(**_FROM)
    yield made
    if made.endpoint in [e["EndpointName"] for e in made.sagemaker.list_endpoints()["Endpoints"]]:
        made.sagemaker.delete_endpoint(EndpointName=made.endpoint)


def refused(run: Run) -> str:
    assert (run.state, run.outcome) == ("failed", "refused"), run
    return str(run.result["reason"])


def test_the_newest_good_release_of_the_other_environment_is_taken_over(rig: Rig, prod: Rig) -> None:
    assert f"{rig.key} has no good release to be taken over" in refused(prod.run())
    assert rig.deploy(bias=1).outcome == "released"
    assert rig.deploy("raises", bias=9).outcome == "rolled_back"
    run = prod.run()
    assert (run.state, run.outcome) == ("success", "released"), run
    assert prod.predict() == [2.0, 3.0, 4.0]
    proved, record = rig.ledger()[0], prod.ledger()[-1]
    assert record["promoted_from"] == {"deployment": rig.key, "release": 1}
    assert record["artifact_sha256"] == proved["artifact_sha256"]
    assert record["image"] == proved["image"]
    assert (
        record["pinned"]
        == f"s3://{BUCKET}/{prod.store}/artifacts/sha256/{proved['artifact_sha256']}/model.tar.gz"
    )
    assert prod.run().outcome == "nothing_to_do"
    assert published(f"released__{rig.key}") == [{"release": 1}]
    assert published(f"released__{prod.key}") == [{"release": record["sequence"]}]


def test_the_form_may_name_what_was_proved_and_nothing_else(rig: Rig, prod: Rig) -> None:
    for bias in (1, 2):
        assert rig.deploy(bias=bias).outcome == "released"
    proved = rig.ledger()[0]
    unknown = rig.artifact(bias=3)
    assert f"was never released in {rig.key}" in refused(prod.run(artifact=unknown))
    assert "no other is released here" in refused(prod.run(image="i/other:1"))
    arn = Group(rig).register(unknown)
    assert f"only what {rig.key} has released" in refused(prod.run(model_package=arn))
    # The same bytes at another address are the same model.
    assert prod.run(artifact=prod.artifact(bias=1)).outcome == "released"
    assert prod.predict() == [2.0, 3.0, 4.0]
    assert prod.ledger()[-1]["artifact_sha256"] == proved["artifact_sha256"]
    assert prod.ledger()[-1]["promoted_from"] == {"deployment": rig.key, "release": 1}


def test_the_other_environment_is_read_through_its_own_connection(
    rig: Rig, prod: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rig.deploy(bias=1).outcome == "released"
    own = json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_OTHER_ACCOUNT", json.dumps(own))
    store = f"s3://{BUCKET}/{prod.store}"
    aws: dict[str, Any] = {"conn_id": "other_account", "store": store}
    prod.spec(**_FROM, aws=aws)
    assert prod.run().outcome == "released"
    assert prod.predict() == [2.0, 3.0, 4.0]
    pinned = prod.ledger()[-1]["pinned"]
    found = rig.clients("s3").head_object(Bucket=BUCKET, Key=pinned.removeprefix(f"s3://{BUCKET}/"))
    assert found["Metadata"]["sha256"] == rig.ledger()[0]["artifact_sha256"]


def test_without_the_other_spec_the_deployment_stays_and_the_problem_is_told(rig: Rig, prod: Rig) -> None:
    rig.file.unlink()
    loaded = load_directory(rig.specs)
    assert [each.key for each in loaded.deployments] == [prod.key]
    (problem,) = loaded.problems[0].problems
    assert (problem.source, problem.path) == (str(prod.file), "promotion.from_environment")
    assert prod.file.read_text().splitlines()[problem.line - 1].strip() == "from_environment: test"
    assert problem.found == f"'test', of which no spec of {rig.name} can be used"
    assert f"the spec of {rig.key} is missing" in refused(prod.run())


def test_environments_that_promote_one_another_are_a_problem(rig: Rig, prod: Rig) -> None:
    rig.spec(promotion={"from_environment": "prod"})
    with pytest.raises(InvalidSpec) as told:
        load_file(rig.file)
    assert "'prod', which takes over what is released here" in str(told.value)
