"""Two writers of one ledger at the same moment, many times, over HTTP: no number twice, no hole."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release

BUCKET = "ledger-race-tests"
ROUNDS = 40


def release(run: str, minute: int = 0) -> Release:
    return Release(
        kind="deploy",
        outcome="released",
        deployment="churn__test",
        endpoint="churn-test",
        run=RunRef(dag_id="deploy__churn__test", run_id=run, run_type="manual"),
        started_at=f"2026-01-01T00:{minute:02}:00+00:00",
        finished_at=f"2026-01-01T00:{minute:02}:30+00:00",
        seconds=30.0,
    )


def ledgers(local_sagemaker: Any, folder: str) -> list[Ledger]:
    """Two writers with connections of their own."""
    clients = [local_sagemaker.client("s3") for _ in range(2)]
    if BUCKET not in {bucket["Name"] for bucket in clients[0].list_buckets()["Buckets"]}:
        clients[0].create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return [Ledger(client, f"s3://{BUCKET}/{folder}", "churn-test") for client in clients]


def race(writers: list[Ledger], runs: list[list[str]]) -> list[list[int]]:
    """Each writer appends its runs, in step with the other; the numbers that each was given."""
    together = threading.Barrier(len(writers))

    def write(which: int) -> list[int]:
        numbers = []
        for minute, run in enumerate(runs[which]):
            together.wait(60)
            numbers.append(writers[which].append(release(run, minute)).sequence)
        return numbers

    with ThreadPoolExecutor(len(writers)) as pool:
        return list(pool.map(write, range(len(writers))))


def test_two_runs_racing_for_the_same_number_are_both_recorded(local_sagemaker: Any) -> None:
    writers = ledgers(local_sagemaker, "two-runs")
    runs = [[f"{which}-{n}" for n in range(ROUNDS)] for which in range(2)]
    given = race(writers, runs)
    assert sorted(given[0] + given[1]) == list(range(1, 2 * ROUNDS + 1))
    kept = {record.sequence: record.run.run_id for record in writers[0].newest_first()}
    for which in range(2):
        assert [kept[number] for number in given[which]] == runs[which]
    at_once = list(writers[0].newest_first_at_once())
    assert [record.sequence for record in at_once] == list(range(2 * ROUNDS, 0, -1))
    assert at_once[:7] == list(writers[0].newest_first_at_once(7))


def test_two_attempts_of_one_run_leave_one_record(local_sagemaker: Any) -> None:
    writers = ledgers(local_sagemaker, "one-run")
    runs = [f"{n}" for n in range(ROUNDS)]
    given = race(writers, [runs, runs])
    assert given[0] == given[1] == list(range(1, ROUNDS + 1))
    assert len(list(writers[0].newest_first())) == ROUNDS


def test_a_number_whose_write_is_under_way_is_tried_again_and_not_left_out(local_sagemaker: Any) -> None:
    """S3's 409 ConditionalRequestConflict: nothing is there yet, and the next number would leave a hole."""
    (ledger, _) = ledgers(local_sagemaker, "conflict")
    client: Any = ledger._documents._client
    sent: list[str] = []

    def conflict(model: Any, params: dict[str, Any], **_: Any) -> Any:
        sent.append(params["url_path"])
        if len(sent) == 1:
            said = {"Error": {"Code": "ConditionalRequestConflict", "Message": "under way"}}
            raise ClientError(said, "PutObject")
        return None

    client.meta.events.register("before-call.s3.PutObject", conflict)
    assert ledger.append(release("a")).sequence == 1
    assert len([path for path in sent if "/ledger/" in path]) == 2
