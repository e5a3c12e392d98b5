from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import boto3
import pandas as pd
import pytest
import requests
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from local_stack.seed import BUCKET, RELEASES, Built, held_out, seed_examples, upload
from local_stack.training_data import seed_training_data

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def endpoint_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # moto's state belongs to the process, not to the server: an earlier test's bucket would still be there.
    requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
    yield url
    server.stop()


def s3(endpoint_url: str, region: str) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


@pytest.mark.parametrize(("region", "constraint"), [("us-east-1", None), ("eu-central-1", "eu-central-1")])
def test_an_upload_makes_the_bucket_in_the_clients_region_once(
    endpoint_url: str, tmp_path: Path, region: str, constraint: str | None
) -> None:
    client = s3(endpoint_url, region)
    archive = tmp_path / "any.tar.gz"
    for content in (b"first", b"second"):
        archive.write_bytes(content)
        uri = upload(client, archive, "breast-cancer", "7")
        assert uri == "s3://ml-platform/models/breast-cancer/7/model.tar.gz"
        stored = client.get_object(Bucket=BUCKET, Key="models/breast-cancer/7/model.tar.gz")
        assert stored["Body"].read() == content
    assert client.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == constraint


def test_a_browser_may_read_data_docs_and_nothing_else(endpoint_url: str, tmp_path: Path) -> None:
    client = s3(endpoint_url, "eu-west-1")
    (tmp_path / "any.tar.gz").write_bytes(b"any")
    upload(client, tmp_path / "any.tar.gz", "breast-cancer", "7")
    page = "endpoint-deploy/data-docs/summary.html"
    client.put_object(Bucket=BUCKET, Key=page, Body=b"All met")
    assert requests.get(f"{endpoint_url}/{BUCKET}/{page}", timeout=10).text == "All met"
    archive = f"{endpoint_url}/{BUCKET}/models/breast-cancer/7/model.tar.gz"
    assert requests.get(archive, timeout=10).status_code == HTTPStatus.FORBIDDEN


def test_training_data_come_without_a_row_to_judge_by(endpoint_url: str) -> None:
    client = s3(endpoint_url, "eu-west-1")
    seed_training_data(client)
    seed_training_data(client)
    found = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [each["Key"] for each in found] == ["digits/held-out/digits.csv", "digits/training/week-01.csv"]
    judged_by, trained_on = (
        pd.read_csv(client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"]) for each in found
    )
    assert judged_by.drop(columns="target").to_numpy().tolist() == held_out("digits")[0]
    assert len(trained_on) == 150
    assert len(pd.concat([judged_by, trained_on]).drop_duplicates()) == 600


class Forbidding(BaseHTTPRequestHandler):
    """An S3 that lets nobody in."""

    def do_HEAD(self) -> None:
        self.send_response(HTTPStatus.FORBIDDEN)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


def test_a_bucket_one_may_not_see_is_not_taken_for_absent(tmp_path: Path) -> None:
    archive = tmp_path / "any.tar.gz"
    archive.write_bytes(b"any")
    with HTTPServer(("127.0.0.1", 0), Forbidding) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ClientError, match=r"403.*HeadBucket"):
            upload(s3(f"http://127.0.0.1:{server.server_port}", "us-east-1"), archive, "breast-cancer", "7")
        server.shutdown()


def test_seeding_puts_every_shipped_release_where_its_uri_says_the_same_bytes_each_time(
    endpoint_url: str, tmp_path: Path, releases: dict[tuple[str, str], Built]
) -> None:
    client = s3(endpoint_url, "eu-west-1")
    seeded = seed_examples(client, tmp_path)
    assert [(each.name, each.release) for each in seeded] == list(RELEASES)
    for each in seeded:
        assert each.uri == f"s3://ml-platform/models/{each.name}/{each.release}/model.tar.gz"
        stored = client.get_object(Bucket=BUCKET, Key=each.uri.removeprefix(f"s3://{BUCKET}/"))
        built = releases[each.name, each.release]
        assert stored["Body"].read() == built.path.read_bytes()
        assert each.metrics == built.metrics
