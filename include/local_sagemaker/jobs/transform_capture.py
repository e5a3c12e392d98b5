"""What DataCaptureConfig makes of a transform job: manifests of its input and output objects."""

import json
import posixpath
from collections.abc import Iterator, Sequence
from datetime import datetime


def manifests(
    items: Sequence[tuple[str, str]], output_uri: str, started: datetime, name: str
) -> Iterator[tuple[str, str]]:
    """Key below DestinationS3Uri, and text, of the two manifests of a job.

    `items` are the addresses of the input objects, each with its output's key below `output_uri`. The
    manifests lie under input/ and output/, by the hour in which the job started, in UTC (guide, Capture
    data from batch transform job).
    """
    hour = started.strftime("%Y/%m/%d/%H")
    inputs = [uri for uri, _ in items]
    common = posixpath.dirname(posixpath.commonprefix(inputs)) + "/" if inputs else ""
    for kind, prefix, keys in (
        ("input", common, [uri.removeprefix(common) for uri in inputs]),
        ("output", output_uri, [key for _, key in items]),
    ):
        yield f"{kind}/{hour}/{name}.jsonl", json.dumps([{"prefix": prefix}, *keys])
