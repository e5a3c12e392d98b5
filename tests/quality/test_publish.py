"""Data Docs in S3."""

import uuid

import pandas as pd
import pytest

from endpoint_deploy.errors import EndpointDeployError
from endpoint_deploy.quality import publish, run_suite


def test_published_with_their_types_and_without_ballast(local_sagemaker, tmp_path):
    s3 = local_sagemaker.client("s3")
    bucket = f"docs-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    suite = tmp_path / "suite.json"
    suite.write_text(
        '{"name": "s", "expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "a"}}]}'
    )
    run_suite(pd.DataFrame({"a": [1]}), suite, docs_dir=tmp_path / "docs", title="é")

    assert publish(s3, tmp_path / "docs", prefix=f"s3://{bucket}/r/1/") == f"s3://{bucket}/r/1/summary.html"

    found = {entry["Key"]: entry["Size"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert {"r/1/index.html", "r/1/summary.html", "r/1/expectations/s.html"} <= found.keys()
    assert sum(found.values()) < 500_000
    summary = s3.get_object(Bucket=bucket, Key="r/1/summary.html")
    assert summary["ContentType"] == "text/html; charset=utf-8"
    assert "<h1>é</h1>" in summary["Body"].read().decode()


def test_a_place_that_is_none(local_sagemaker, tmp_path):
    with pytest.raises(EndpointDeployError, match="expected s3://bucket/path"):
        publish(local_sagemaker.client("s3"), tmp_path, prefix="/somewhere")
