"""What a page of many deployments reads: as many objects, however many releases there are."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from endpoint_deploy.aws.latest import LatestReleases
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.standing import read_word

BUCKET = "latest-tests"


@pytest.fixture
def s3(local_sagemaker: Any) -> Iterator[Any]:
    client = local_sagemaker.client("s3")
    if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    client.close()


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    return f"s3://{BUCKET}/{request.node.name}"


def release(endpoint: str, minute: int, **fields: Any) -> Release:
    """A release that began in that minute, to a configuration of that number."""
    return Release(
        **{
            "kind": "deploy",
            "outcome": "released",
            "action": "stage",
            "config_before": f"{endpoint}-{minute - 1}",
            "config_after": f"{endpoint}-{minute}",
            "deployment": endpoint,
            "endpoint": endpoint,
            "run": RunRef(dag_id=f"deploy__{endpoint}", run_id=f"run-{minute}", run_type="manual"),
            "started_at": f"2026-01-01T00:{minute:02}:00+00:00",
            "finished_at": f"2026-01-01T00:{minute:02}:30+00:00",
            "seconds": 30.0,
            **fields,
        }
    )


@pytest.fixture
def releases(s3: Any, store: str) -> Callable[..., Release]:
    def append(endpoint: str, minute: int, **fields: Any) -> Release:
        return Ledger(s3, store, endpoint).append(release(endpoint, minute, **fields))

    return append


def test_the_word_is_that_of_the_whole_ledger(s3: Any, store: str, releases: Callable[..., Release]) -> None:
    releases("churn", 1, evidence={"smoke_test": {"requests": 3}})
    releases("churn", 2)
    back = {"config_before": "churn-2", "config_after": "churn-2"}
    releases("churn", 3, outcome="rolled_back", **back)
    releases("churn", 4, outcome="refused", action=None, **back)
    kept = LatestReleases(s3, store).read()["churn"]
    assert [each.sequence for each in kept] == [4, 3, 2]
    whole = Ledger(s3, store, "churn").newest_first()
    assert read_word(kept, "churn-2") == read_word(whole, "churn-2")
    assert all(each.evidence == {} for each in kept)


def test_an_older_word_does_not_take_the_place_of_a_newer_one(
    s3: Any, store: str, releases: Callable[..., Release]
) -> None:
    first, second = releases("churn", 1), releases("churn", 2)
    LatestReleases(s3, store).put("churn", read_word([first], "churn-1"))
    assert [each.sequence for each in LatestReleases(s3, store).read()["churn"]] == [second.sequence]


def test_a_record_that_is_tried_again_brings_a_lost_copy_about(
    s3: Any, store: str, releases: Callable[..., Release]
) -> None:
    releases("churn", 1)
    for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{store.rpartition('/')[2]}/latest/")["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    assert releases("churn", 1).sequence == 1
    assert [each.sequence for each in LatestReleases(s3, store).read()["churn"]] == [1]


def test_writers_of_many_endpoints_do_not_lose_each_other_s(
    store: str, local_sagemaker: Any, s3: Any
) -> None:
    names = [f"endpoint-{n}" for n in range(24)]

    def write(name: str) -> None:
        client = local_sagemaker.client("s3")
        Ledger(client, store, name).append(release(name, 1))
        client.close()

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(write, names))
    assert sorted(LatestReleases(s3, store).read()) == sorted(names)


def test_a_record_of_a_later_version_hides_no_other(
    s3: Any, store: str, releases: Callable[..., Release]
) -> None:
    releases("churn", 1)
    folder = store.rpartition("/")[2]
    shard = next(
        item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{folder}/latest/")["Contents"]
    )
    body = s3.get_object(Bucket=BUCKET, Key=shard)["Body"].read().decode()
    later = body.replace("{\n", '{\n "fraud": [{"schema_version": 2, "sequence": 1}],\n', 1)
    s3.put_object(Bucket=BUCKET, Key=shard, Body=later.encode())
    assert list(LatestReleases(s3, store).read()) == ["churn"]
