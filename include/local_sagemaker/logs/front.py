"""FilterLogEvents before moto, which knows no prefix of streams and takes turns only when it is told to."""

import json

from starlette.requests import Request
from starlette.responses import Response

from local_sagemaker.backing.moto import Moto

FILTER_EVENTS = "Logs_20140328.FilterLogEvents"
_JSON = "application/x-amz-json-1.1"


class LogsFront:
    """Rewrites a filter into one that moto serves: streams by name, their events in the order of time."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    async def filter(self, request: Request) -> Response:
        """Answer one FilterLogEvents."""
        body = await request.body()
        try:
            members = json.loads(body)
        except ValueError:
            members = None
        if isinstance(members, dict):
            # "interleaved" is deprecated: the service always does it (FilterLogEvents' reference).
            members["interleaved"] = True
            prefix = members.pop("logStreamNamePrefix", None)
            if prefix is not None:
                members["logStreamNames"] = await self._streams(members, prefix)
                if not members["logStreamNames"]:
                    return Response(json.dumps({"events": [], "searchedLogStreams": []}), media_type=_JSON)
            body = json.dumps(members).encode()
        headers = {**self._moto.signed_for("logs"), "Content-Type": _JSON, "X-Amz-Target": FILTER_EVENTS}
        async with self._moto.request("POST", "/", headers, body) as answer:
            return Response(await answer.read(), status_code=answer.status, media_type=_JSON)

    async def _streams(self, members: dict[str, str], prefix: str) -> list[str]:
        """The names that begin with `prefix`; without the group, what moto says of that is the answer."""
        asked = {"logGroupName": members.get("logGroupName", ""), "logStreamNamePrefix": prefix}
        names: list[str] = []
        while True:
            try:
                found = await self._moto.json("logs", "Logs_20140328.DescribeLogStreams", asked)
            except RuntimeError:
                return [prefix]  # a group that is not there: the filter itself is refused for it
            names += [stream["logStreamName"] for stream in found["logStreams"]]
            if not found.get("nextToken"):
                return names
            asked["nextToken"] = found["nextToken"]
