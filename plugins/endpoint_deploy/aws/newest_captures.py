"""The newest requests of an endpoint's data capture, of which there may be any number."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from endpoint_deploy.aws.data_files import files_below
from endpoint_deploy.aws.feedback_files import CapturedRequests, lines, place_of
from endpoint_deploy.core.retrain import DataFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DAYS = 7  # older requests are not what a model is asked now
_MOST_BYTES = 64 * 1024 * 1024  # a worker's memory has other uses


def newest_records(
    client: "S3Client", destination: str, endpoint: str, *, now: datetime
) -> Iterator[dict[str, Any]]:
    """Captured records, those of the newest files first; ends after a week's or 64 MiB of lines.

    Read as far as it is iterated: a listing a day and variant, and one file after the other.
    """
    prefix = f"{destination.rstrip('/')}/{endpoint}"
    variants = CapturedRequests(client, destination, endpoint).variants()
    left = _MOST_BYTES
    for day in range(_DAYS):
        date = f"{now - timedelta(days=day):%Y/%m/%d}"
        found = [each for name in variants for each in files_below(client, f"{prefix}/{name}/{date}")]
        for file in sorted(found, key=lambda each: _written(each, place_of(prefix)[1]), reverse=True):
            for line in lines(client, prefix, file):
                left -= len(line)
                if left < 0:
                    return
                if (record := _record(line)) is not None:
                    yield record


def _written(file: DataFile, below: str) -> str:
    """What follows the variant in the key: the hour, then minute and second."""
    return file.key.removeprefix(below).partition("/")[2]


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
