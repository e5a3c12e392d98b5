"""/_local/endpoints: a look inside, logs, and states that do not arise by themselves."""

from typing import cast, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local_sagemaker.console.answers import BadCall, json_body
from local_sagemaker.console.log_files import tail
from local_sagemaker.console.overview import Overview
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.records import Status


class EndpointCalls:
    """GET of all, GET .../logs and POST .../status of one."""

    def __init__(self, endpoints: Endpoints, overview: Overview) -> None:
        self._endpoints = endpoints
        self._overview = overview

    def routes(self) -> list[Route]:
        """The calls, by path and method."""
        return [
            Route("/_local/endpoints", self._list),
            Route("/_local/endpoints/{name}/status", self._force_status, methods=["POST"]),
            Route("/_local/endpoints/{name}/logs", self._logs),
        ]

    async def _list(self, _request: Request) -> Response:
        return JSONResponse({"endpoints": self._overview.endpoints()})

    async def _force_status(self, request: Request) -> Response:
        name = request.path_params["name"]
        endpoint = self._endpoints.find(name)
        if endpoint is None:
            raise BadCall(f"no endpoint {name}", status=404)
        body = await json_body(request)
        status = body.get("status") if isinstance(body, dict) else None
        if status not in get_args(Status):
            raise BadCall(f'expected {{"status": one of {", ".join(get_args(Status))}}}')
        endpoint.force_status(cast("Status", status))
        return JSONResponse({"status": status})

    async def _logs(self, request: Request) -> Response:
        name = request.path_params["name"]
        logs = self._overview.logs
        found = [path for log in logs.of_endpoint(name) if (path := logs.find(log))]
        if not found:
            return PlainTextResponse(f"no logs of endpoint {name}\n", status_code=404)
        return PlainTextResponse("".join(f"==> {path.name} <==\n{tail(path)}\n" for path in found))
