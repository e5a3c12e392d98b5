"""Captured requests and ground truth in S3."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.core.feedback_hours import days, hour_of
from endpoint_deploy.core.retrain import DataFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def place_of(prefix: str) -> tuple[str, str]:
    """Bucket and key of a prefix; the key ends in a slash, unless it is empty."""
    bucket, _, path = prefix.removeprefix("s3://").partition("/")
    return bucket, f"{path.rstrip('/')}/" if path.strip("/") else ""


def lines(client: "S3Client", prefix: str, file: DataFile) -> Iterator[str]:
    """The lines of an object that lies below a prefix, those that are empty left out."""
    bucket = place_of(prefix)[0]
    body = client.get_object(Bucket=bucket, Key=file.key)["Body"]
    for line in body.iter_lines(chunk_size=1024 * 1024):
        if text := line.decode("utf-8", errors="replace").strip():
            yield text


class CapturedRequests:
    """What an endpoint's data capture has written: `<destination>/<endpoint>/<variant>/YYYY/MM/DD/HH/`."""

    def __init__(self, client: "S3Client", destination: str, endpoint: str) -> None:
        self._client = client
        self._prefix = f"{destination.rstrip('/')}/{endpoint}"

    def files(self, spans: Iterable[tuple[datetime, datetime]]) -> list[DataFile]:
        """The objects of these spans of hours, both ends included, in the order of their keys.

        A listing a day and variant: what lies outside is not even listed.
        """
        spans = list(spans)
        wanted = sorted({day for first, last in spans for day in days(first, last)})
        found = [
            file
            for variant in self.variants()
            for day in wanted
            for file in files_below(self._client, f"{self._prefix}/{variant}/{day}")
            if (hour := hour_of(file.key)) and any(first <= hour <= last for first, last in spans)
        ]
        return sorted(found, key=lambda file: file.key)

    def records(self, files: Iterable[DataFile]) -> Iterator[dict[str, Any]]:
        """Every record of these objects; a line that is no JSON object is left out."""
        for file in files:
            for line in lines(self._client, self._prefix, file):
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    yield record

    def variants(self) -> list[str]:
        """The variants of which anything was captured."""
        bucket, below = place_of(self._prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=below, Delimiter="/"
        )
        return [
            each["Prefix"][len(below) :].rstrip("/")
            for page in pages
            for each in page.get("CommonPrefixes", [])
        ]
