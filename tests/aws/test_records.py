"""Numbered records in S3: one a run, in order, whoever writes, and whatever answer is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from endpoint_deploy.aws.retrains import Retrains
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.retrain import CheckedData, RetrainRecord

BUCKET = "records-tests"
ENDPOINT = "churn-test"


@pytest.fixture
def retrains(local_sagemaker: Any, request: pytest.FixtureRequest) -> Iterator[Retrains]:
    s3 = local_sagemaker.client("s3")
    if BUCKET not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield Retrains(s3, f"s3://{BUCKET}/{request.node.name}", ENDPOINT)
    s3.close()


def record(run: str, minute: int = 0, **fields: Any) -> RetrainRecord:
    """A retraining that began in that minute and took thirty seconds."""
    return RetrainRecord(
        **{
            "deployment": "churn__test",
            "endpoint": ENDPOINT,
            "outcome": "registered",
            "reason": "better",
            "run": RunRef(dag_id="retrain__churn__test", run_id=run, run_type="manual"),
            "started_at": f"2026-01-01T00:{minute:02}:00+00:00",
            "finished_at": f"2026-01-01T00:{minute:02}:30+00:00",
            "seconds": 30.0,
            **fields,
        }
    )


def test_records_are_numbered_in_order_and_read_newest_first(retrains: Retrains) -> None:
    assert [retrains.append(record(run, minute)).sequence for minute, run in enumerate("abc")] == [1, 2, 3]
    assert [(r.sequence, r.run.run_id) for r in retrains.newest_first()] == [(3, "c"), (2, "b"), (1, "a")]
    assert retrains.get(2) == record("b", 1, sequence=2)
    assert retrains.get(4) is None
    assert retrains.uri(2).endswith(f"/retrains/{ENDPOINT}/00000002.json")


def test_a_run_is_recorded_once_however_often_it_tries(retrains: Retrains) -> None:
    first = retrains.append(record("a", 0))
    retrains.append(record("b", 1))
    again = retrains.append(record("a", 0, finished_at="2026-01-01T00:02:00+00:00", seconds=120.0))
    assert again == first
    assert len(list(retrains.newest_first())) == 2


def test_a_run_that_was_cleared_and_started_anew_is_another_one(retrains: Retrains) -> None:
    assert [retrains.append(record("a", minute)).sequence for minute in (0, 5)] == [1, 2]


def test_two_writers_at_once_both_find_a_number(retrains: Retrains) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda run: retrains.append(record(run)).sequence, "abcdefgh"))
    assert sorted(numbers) == list(range(1, 9))


def test_the_last_accepted_data_are_those_of_the_newest_run_that_passed_the_gate(retrains: Retrains) -> None:
    assert retrains.last_accepted() is None
    data = [CheckedData(digest=f"digest-{n}", rows=n, profile=f"s3://b/{n}.json") for n in range(2)]
    retrains.append(record("a", 0, data=data[0]))
    retrains.append(record("b", 1, data=data[1], outcome="model_refused"))
    retrains.append(record("c", 2, outcome="data_refused"))
    accepted, registered = retrains.last_accepted(), retrains.last_registered()
    assert accepted is not None
    assert registered is not None
    assert accepted.data == data[1]
    assert registered.run.run_id == "a"
