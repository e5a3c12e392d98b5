"""Filters, order and pages, as ListEndpoints, ListEndpointConfigs and ListModels share them."""

import base64
import binascii
from typing import Any

from local_sagemaker.api.errors import invalid

DEFAULT_PAGE = 10


def page(
    request: dict[str, Any],
    summaries: list[dict[str, Any]],
    member: str,
    name: str,
    status: str = "EndpointStatus",
) -> dict[str, Any]:
    """One page of `summaries` under `member`, with a NextToken when there is more.

    `name` and `status` are the summaries' fields of that meaning. Ten a page unless MaxResults says
    otherwise, newest first unless SortBy and SortOrder do.
    """
    kept = [summary for summary in summaries if _matches(request, summary, name, status)]
    kept.sort(
        key=_sort_key(request, name, status), reverse=request.get("SortOrder", "Descending") == "Descending"
    )
    start = _position(request.get("NextToken"))
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    answer: dict[str, Any] = {member: kept[start:end]}
    if end < len(kept):
        answer["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer


def _matches(request: dict[str, Any], summary: dict[str, Any], name: str, status: str) -> bool:
    if request.get("NameContains", "").lower() not in summary[name].lower():
        return False
    if request.get("StatusEquals", summary.get(status)) != summary.get(status):
        return False
    for field in ("CreationTime", "LastModifiedTime"):
        before, after = request.get(f"{field}Before"), request.get(f"{field}After")
        if before is not None and summary[field] > before:
            return False
        if after is not None and summary[field] < after:
            return False
    return True


def _sort_key(request: dict[str, Any], name: str, status: str) -> Any:
    field = {"Name": name, "Status": status}.get(request.get("SortBy", ""), "CreationTime")
    return lambda summary: (summary[field], summary[name])


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as error:
        raise invalid("Invalid NextToken: it is not one that a list operation returned.") from error
