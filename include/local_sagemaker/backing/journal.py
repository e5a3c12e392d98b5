"""What callers make in moto, kept as the requests that made it, and made again after a restart.

A request is written once moto has taken it, before its caller hears so. Deleting something takes its
requests away, so the journal stays as long as what it describes.
"""

import html
import json
import logging
import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.api.signature import signed_for
from local_sagemaker.backing.journaled import SERVICES, Change, change
from local_sagemaker.backing.moto import Moto
from local_sagemaker.backing.proxy import Proxy, target_of
from local_sagemaker.store import Store

logger = logging.getLogger(__name__)

_KIND = "moto-request"
_KEPT_HEADERS = ("content-type", "x-amz-target", "host")
# What moto makes up and a client holds on to, by the operation whose answer tells it.
_MADE_UP = {
    "CreateAccessKey": ("access_key", ("AccessKeyId", "SecretAccessKey")),
    "Subscribe": ("subscription", ("SubscriptionArn",)),
}
Entry = dict[str, Any]


class Journal:
    """The requests in the store, in the order they are to be made again."""

    def __init__(self, moto: Moto, store: Store, proxy: Proxy) -> None:
        self._moto = moto
        self._store = store
        self._proxy = proxy
        self._next = max((int(key) for key, _ in store.all(_KIND)), default=0) + 1

    def covers(self, service: str | None) -> bool:
        """Whether changes of that service are kept."""
        return service in SERVICES

    async def serve(self, request: Request) -> Response:
        """Pass a request on, and keep it if it changed something."""
        body = await request.body()
        response = await self._proxy.fetch(request, target_of(request), body)
        region, service = signed_for(request)
        if response.status_code < 300 and service and region:  # noqa: PLR2004 - HTTP's own line
            headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
            entry = {"service": service, "region": region, "headers": headers, "body": body.decode()}
            self._keep(entry, bytes(response.body).decode())
        return response

    async def replay(self) -> None:
        """Make everything again in a moto that has just started; what it refuses is said in the log."""
        for _, entry in list(self._store.all(_KIND)):
            headers = {**entry["headers"], **self._moto.signed_for(entry["service"], entry["region"])}
            async with self._moto.request("POST", "/", headers, entry["body"].encode()) as response:
                answer = await response.text()
            if not response.ok:
                logger.warning("%s was not made again: %s", entry["subject"], answer[:300])
            elif entry["made_up"]:
                await self._restore_made_up(entry, answer)

    async def _restore_made_up(self, entry: Entry, answer: str) -> None:
        name, _ = _MADE_UP[entry["operation"]]
        made = _made_up(entry["operation"], answer)
        await self._moto.ask({name: {"made": made[0], "known": entry["made_up"], "region": entry["region"]}})

    def _keep(self, entry: Entry, answer: str) -> None:
        operation, members = _read(entry)
        made_up = _made_up(operation, answer)
        if made_up:
            members = {**members, **dict(zip(_MADE_UP[operation][1], made_up, strict=True))}
        found = change(entry["service"], operation, members, entry["region"])
        if found is None or (operation == "Subscribe" and "pending" in made_up[0]):
            return
        kept = {**entry, "operation": operation, "subject": found.subject, "made_up": made_up}
        self._apply(found, kept)

    def _apply(self, found: Change, entry: Entry) -> None:
        of_service = [(key, one) for key, one in self._store.all(_KIND) if one["service"] == entry["service"]]
        if found.kind == "drop":
            for key, one in of_service:
                if one["subject"] == found.subject or one["subject"].startswith(f"{found.subject}/"):
                    self._store.delete(_KIND, key)
            return
        same = [
            key
            for key, one in of_service
            if (one["subject"], one["operation"]) == (found.subject, entry["operation"])
        ]
        if found.kind in ("make", "base") and same:
            if found.kind == "base":  # which says its state anew
                self._store.put(_KIND, same[0], entry)
                self._apply(Change("drop", f"{found.subject}/state"), entry)
            return
        self._store.put(_KIND, f"{self._next:012d}", entry)
        self._next += 1
        if found.kind == "add":  # versions of a policy are numbered: every one counts
            counted = found.subject.endswith("/versions")
            same = [key for key in same if not counted and self._store.get(_KIND, key) == entry]
        for key in same:
            self._store.delete(_KIND, key)


def _read(entry: Entry) -> tuple[str, dict[str, Any]]:
    """Operation and members of a request in the JSON or the query protocol."""
    target = entry["headers"].get("x-amz-target")
    if target is not None:
        return target.rpartition(".")[2], json.loads(entry["body"] or "{}")
    form = dict(parse_qsl(entry["body"]))
    return form.get("Action", ""), form


def _made_up(operation: str, answer: str) -> list[str]:
    """What the answer to an operation tells that moto made up."""
    if operation not in _MADE_UP:
        return []
    _, members = _MADE_UP[operation]
    found = [re.search(f"<{member}>(.*?)</{member}>", answer) for member in members]
    return [html.unescape(one[1]) for one in found if one]
