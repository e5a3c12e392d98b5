"""Data Docs as somebody opens them: over HTTP, from the local S3."""

from pathlib import Path
from typing import Any

import httpx

_HTTP_SECONDS = 10.0


def url_of(sagemaker_url: str, uri: str) -> str:
    """Return where a browser finds an object, given as s3://bucket/key."""
    return f"{sagemaker_url}/{uri.removeprefix('s3://')}"


def fault_of(url: str, *, met: bool) -> str | None:
    """Open a summary page and return what is wrong with it; None where it says whether all was met.

    met: whether it should.
    """
    try:
        answer = httpx.get(url, timeout=_HTTP_SECONDS)
    except httpx.HTTPError as error:
        return f"{url}: {error}"
    if answer.status_code != httpx.codes.OK:
        return f"{url} answered {answer.status_code}"
    if ("All met" in answer.text) != met:
        return f"{url} does not say that {'all was met' if met else 'something was not met'}"
    return None


def keep(s3: Any, uri: str, directory: Path) -> None:
    """Copy the whole site of a summary page into a directory, to be read once the stack has ended."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    prefix = f"{key.rpartition('/')[0]}/"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            file = directory / found["Key"].removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, found["Key"], str(file))
