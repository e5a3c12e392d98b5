"""Why files of a transform job failed: the service's own words in the job's data log."""

import re
from typing import Any

from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors

_GROUP = "/aws/sagemaker/TransformJobs"
_LONGEST = 600
# `2026-01-01T00:00:00.000:[sagemaker logs]: bucket/key: message` (guide, Logging; public reports).
_LINE = re.compile(r"^\S+?:\[sagemaker logs\]: (?P<said>.*)$")


def reasons(logs: Any, job: str, bucket: str, keys: set[str]) -> dict[str, str]:
    """What the data log says of these objects, by key; those it does not speak of are left out.

    `logs` is a client of CloudWatch Logs. A log that is not there yet, or gone, says nothing.
    """
    found: dict[str, list[str]] = {}
    heads = {f"{bucket}/{key}: ": key for key in keys}
    for message in _messages(logs, job):
        match = _LINE.match(message)
        said = match["said"] if match else message
        for head, key in heads.items():
            if said.startswith(head):
                found.setdefault(key, []).append(said.removeprefix(head).strip())
                break
    return {key: " ".join(part for part in parts if part)[:_LONGEST] for key, parts in found.items()}


def _messages(logs: Any, job: str) -> list[str]:
    try:
        streams = [
            stream["logStreamName"]
            for page in logs.get_paginator("describe_log_streams").paginate(
                logGroupName=_GROUP, logStreamNamePrefix=f"{job}/"
            )
            for stream in page["logStreams"]
            if stream["logStreamName"].endswith("/data-log")
        ]
        if not streams:
            return []
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=_GROUP, logStreamNames=streams)
        return [event["message"].rstrip("\n") for page in pages for event in page["events"]]
    except ClientError as error:
        if errors.is_absent_log(error):
            return []
        raise
