"""Feedback by its own task: requests captured by a real endpoint, joined with the truth that is delivered."""

import csv
import gzip
import io
import json
import time
from typing import Any

import pytest

from tests.deploy.rig import AS_IN_PRODUCTION, BUCKET, Rig
from tests.retrain.training_rig import Done, lay_out, run_one

pytestmark = AS_IN_PRODUCTION

_PATIENCE = 60.0


class Loop:
    """An endpoint whose requests are captured, and a place where truth is delivered."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        lay_out(monkeypatch)
        self.rig = rig
        self.s3 = rig.clients("s3")
        self.spec()

    def spec(self, **feedback: Any) -> None:
        """Write the spec, and a suite that wants `a` to be positive."""
        suite = {
            "name": "feedback",
            "expectations": [
                {
                    "type": "expect_column_values_to_be_between",
                    "kwargs": {"column": "a", "min_value": 0},
                }
            ],
        }
        (self.rig.specs / "feedback.json").write_text(json.dumps(suite))
        (self.rig.specs / "rows.json").write_text(json.dumps(suite))
        self.rig.spec(
            model={"environment": {}},
            endpoint={"data_capture": {"destination": f"s3://{BUCKET}/{self.rig.name}/captured"}},
            registry={"group": self.rig.name},
            retrain={
                "data": {
                    "source": f"s3://{BUCKET}/{self.rig.name}/data",
                    "target": "y",
                    "suite": "rows.json",
                },
                "training": {"code": "code", "instance_type": "ml.m5.large"},
                "evaluation": {
                    "data": f"s3://{BUCKET}/{self.rig.name}/held-out",
                    "instance_type": "ml.m5.large",
                    "metrics": [{"name": "mae", "at_most": 1.0}],
                },
                "feedback": {
                    "ground_truth": f"s3://{BUCKET}/{self.rig.name}/truth",
                    "features": ["a", "b", "c"],
                    **feedback,
                },
            },
        )

    def ask(self, rows: list[Any], name: str | None = None) -> None:
        """Send rows to the endpoint, under an id of the caller's."""
        self.rig.clients("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.rig.endpoint,
            ContentType="application/json",
            Body=json.dumps(rows).encode(),
            **({"InferenceId": name} if name else {}),
        )

    def captured(self, count: int) -> list[dict[str, Any]]:
        """The captured records, once there are as many of them."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.rig.name}/captured/")
            bodies = [
                self.s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
                for each in found.get("Contents", [])
            ]
            records = [json.loads(line) for body in bodies for line in body.splitlines()]
            if len(records) >= count:
                return records
            assert time.monotonic() < deadline, f"{len(records)} of {count} requests were captured"
            time.sleep(0.2)

    def deliver(self, hour: str, file: str, *truths: tuple[str, str]) -> None:
        """Put truth where an hour's lies: ids, and values as CSV."""
        lines = [
            json.dumps(
                {
                    "groundTruthData": {"data": value, "encoding": "CSV"},
                    "eventMetadata": {"eventId": name},
                    "eventVersion": "0",
                }
            )
            for name, value in truths
        ]
        key = f"{self.rig.name}/truth/{hour}/{file}.jsonl"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body="\n".join(lines).encode())

    def train_on(self, text: str) -> str:
        """Put a base file, packed, beside the feedback; its address."""
        key = f"{self.rig.name}/data/2026-01.csv.gz"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(text.encode()))
        return f"s3://{BUCKET}/{key}"

    def mark(self, file: str) -> None:
        """Give a file that was written metadata, which a put of the same bytes would take away."""
        key = f"{self.rig.name}/data/feedback/{file}"
        self.s3.copy_object(
            Bucket=BUCKET,
            Key=key,
            CopySource={"Bucket": BUCKET, "Key": key},
            Metadata={"mark": "here"},
            MetadataDirective="REPLACE",
        )

    def is_marked(self, file: str) -> bool:
        key = f"{self.rig.name}/data/feedback/{file}"
        return self.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"] == {"mark": "here"}

    def forget_captures(self) -> None:
        """Delete what was captured, as a lifecycle does."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.rig.name}/captured/")
        for each in found["Contents"]:
            self.s3.delete_object(Bucket=BUCKET, Key=each["Key"])

    def merge(self) -> Done:
        return run_one("merge_feedback", self.rig.name, {})

    def files(self) -> dict[str, tuple[str, list[list[str]]]]:
        """ETag and rows of each file that was written, by its name."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.rig.name}/data/feedback/")
        files = {}
        for each in found.get("Contents", []):
            text = self.s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read().decode()
            rows = list(csv.reader(io.StringIO(text)))
            files[each["Key"].rpartition("/")[2]] = (each["ETag"], rows)
        return files


@pytest.fixture
def loop(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Loop:
    return Loop(rig, monkeypatch)


def test_requests_of_a_real_endpoint_are_joined_with_their_truth(loop: Loop) -> None:
    assert loop.merge().state == "skipped"
    assert loop.rig.deploy(bias=1).outcome == "released"
    before = len(loop.captured(0))
    loop.ask([1.5, 2, 3], "one")
    loop.ask([4, 5.25, 6], "two")
    loop.ask([7, 8, 9])
    loop.ask([-1, 0, 0], "negative")
    records = loop.captured(before + 4)
    (own,) = [
        each["eventMetadata"]["eventId"]
        for each in records
        if "inferenceId" not in each["eventMetadata"] and "7, 8, 9" in _sent(each)
    ]
    hour = time.strftime("%Y/%m/%d/%H", time.gmtime())
    name = time.strftime("%Y-%m-%d-%H.csv", time.strptime(hour, "%Y/%m/%d/%H"))
    loop.deliver(hour, "a", ("one", "1"), (own, "0"), ("nobody", "1"))
    done = loop.merge()
    assert done.state == "success"
    assert {key: done.result[key] for key in ("truths", "joined", "rows", "unknown", "repeated")} == {
        "truths": 3,
        "joined": 2,
        "rows": 2,
        "unknown": 1,
        "repeated": 0,
    }
    header, *rows = loop.files()[name][1]
    assert header == ["a", "b", "c", "y"]
    assert rows == [["1.5", "2", "3", "1"], ["7", "8", "9", "0"]]
    first = loop.files()
    # The unknown one is looked for again, and the very object stays: a put gives a new ETag under KMS.
    loop.mark(name)
    assert loop.merge().result["unknown"] == 1
    assert loop.files() == first
    assert loop.is_marked(name)

    loop.deliver(hour, "b", ("two", "0"), ("one", "0"))
    late = loop.merge()
    assert (late.result["joined"], late.result["repeated"]) == (3, 1)
    assert loop.files()[name][1][1:] == [*rows, ["4", "5.25", "6", "0"]]

    written = loop.files()
    check_order_of_features(loop, hour)
    assert loop.files() == written

    # What does not fit its suite is not written, and the rest stays.
    loop.spec(suite="feedback.json")
    loop.deliver(hour, "c", ("negative", "1"))
    refused = loop.merge()
    assert (refused.state, refused.tries) == ("failed", 1)
    assert refused.failure["refusal"] is True
    assert "feedback is refused" in refused.failure["message"]
    assert refused.failure["data_docs"].startswith(f"s3://{BUCKET}/store-{loop.rig.name}/data-docs/")
    assert loop.files() == written
    loop.spec(least_joined=0.9)
    assert "joined_share" in loop.merge().failure["message"]
    assert loop.files() == written

    # Captures expire, the rows made of them do not: not even where every hour is to be merged again.
    loop.forget_captures()
    loop.spec(longest_delay_hours=336)
    loop.deliver(hour, "c")
    kept = loop.merge()
    assert (kept.state, kept.result["joined"], kept.result["kept"]) == (
        "success",
        3,
        [name.removesuffix(".csv")],
    )
    assert loop.files() == written
    assert loop.merge().result["kept"] == kept.result["kept"]
    assert loop.files() == written


def check_order_of_features(loop: Loop, hour: str) -> None:
    """Training files that have the features in another order, or no order that feedback could have."""
    loop.deliver(hour, "d")
    for header, said in (
        ("b,a,c,y", "features must be b, a, c, as in the header of {}; found a, b, c"),
        ("a,b,c,d,y", "features must be a, b, c, d, as in the header of {}; found a, b, c"),
        ("y,a,b,c", "found the columns y, a, b, c in {}; expected the target y last there"),
    ):
        where = loop.train_on(f"{header}\n1,2,3,4\n")
        misplaced = loop.merge()
        assert misplaced.failure["refusal"] is True
        assert said.format(where) in misplaced.failure["message"]
    loop.train_on("a,b,c,y\n1,2,3,4\n")
    assert loop.merge().state == "success"


def _sent(record: dict[str, Any]) -> str:
    import base64

    data = record["captureData"]["endpointInput"]
    text = data["data"]
    return base64.b64decode(text).decode() if data["encoding"] == "BASE64" else str(text)
