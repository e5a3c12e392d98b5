"""Filters, order and pages, as ListEndpoints, ListEndpointConfigs and ListModels share them."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.errors import ServiceError, invalid

DEFAULT_PAGE = 10


def page(
    request: dict[str, Any],
    summaries: list[dict[str, Any]],
    member: str,
    name: str,
    status: str = "EndpointStatus",
    *,
    other_sorts: Mapping[str, Callable[[dict[str, Any]], float | str]] | None = None,
) -> dict[str, Any]:
    """One page of `summaries` under `member`, with a NextToken when there is more.

    `name` and `status` are the summaries' fields of that meaning. Ten a page unless MaxResults says
    otherwise, newest first unless SortBy and SortOrder do; `other_sorts` are what SortBy takes beside
    Name, Status and the time. A token names the last summary shown, so what
    is created or deleted between two pages neither repeats nor hides another.
    """
    key = _sort_key(request, name, status, other_sorts or {})
    descending = request.get("SortOrder", "Descending") == "Descending"
    kept = [summary for summary in summaries if _matches(request, summary, name, status)]
    last = _last_shown(request.get("NextToken"))
    if last is not None:
        kept = [summary for summary in kept if _comes_after(key(summary), last, descending=descending)]
    kept.sort(key=key, reverse=descending)
    size = request.get("MaxResults", DEFAULT_PAGE)
    answer: dict[str, Any] = {member: kept[:size]}
    if size < len(kept):
        token = json.dumps(key(kept[size - 1]))
        answer["NextToken"] = base64.b64encode(token.encode()).decode()
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


def _sort_key(
    request: dict[str, Any],
    name: str,
    status: str,
    other: Mapping[str, Callable[[dict[str, Any]], float | str]],
) -> Callable[[dict[str, Any]], tuple[float | str, str]]:
    sort_by = request.get("SortBy", "")
    if sort_by in other:
        return lambda summary: (other[sort_by](summary), summary[name])
    field = {"Name": name, "Status": status}.get(sort_by, "CreationTime")
    return lambda summary: (summary[field], summary[name])


def _last_shown(token: str | None) -> tuple[float | str, str] | None:
    if token is None:
        return None
    try:
        value, name = json.loads(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise _not_ours() from error
    if not isinstance(value, float | int | str) or not isinstance(name, str):
        raise _not_ours()
    return value, name


def _comes_after(key: tuple[Any, str], last: tuple[Any, str], *, descending: bool) -> bool:
    if isinstance(key[0], str) != isinstance(last[0], str):
        raise _not_ours()  # a token of a list in another order
    return key < last if descending else key > last


def _not_ours() -> ServiceError:
    return invalid("Invalid NextToken: it is not one that this list operation returned.")
