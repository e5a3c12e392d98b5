"""What the real service does not have: health, a look inside, and states that do not arise by themselves."""

import html
import json
from pathlib import Path
from typing import Any, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local_sagemaker.console.answers import BadCall, on_bad_call
from local_sagemaker.console.fault_calls import FaultCalls
from local_sagemaker.console.guard import refused
from local_sagemaker.console.job_calls import JobCalls
from local_sagemaker.console.quota_calls import QuotaCalls
from local_sagemaker.faults.parts import Faults
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.lifecycle import Lifecycle
from local_sagemaker.hosting.records import Status
from local_sagemaker.jobs.services import Jobs
from local_sagemaker.quotas import Quotas
from local_sagemaker.settings import Settings

_LOG_TAIL = 256 * 1024


class Admin:
    """The pages and calls under /_local, and the page at /."""

    def __init__(
        self,
        settings: Settings,
        endpoints: Endpoints,
        quotas: Quotas,
        logs_dir: Path,
        *,
        faults: Faults,
        jobs: Jobs,
    ) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._logs_dir = logs_dir
        self._app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/_local/health", self._health),
                Route("/_local/endpoints", self._list),
                Route("/_local/endpoints/{name}/status", self._force_status, methods=["POST"]),
                Route("/_local/endpoints/{name}/logs", self._logs),
                *QuotaCalls(quotas).routes(),
                *JobCalls(jobs).routes(),
                *FaultCalls(faults.rules, faults.instances).routes(),
            ],
            exception_handlers={BadCall: on_bad_call},
        )

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, unless it is a stranger's."""
        reason = refused(Request(scope))
        if reason is None:
            await self._app(scope, receive, send)
        else:
            await JSONResponse({"error": reason}, status_code=403)(scope, receive, send)

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "region": self._settings.region})

    async def _list(self, _request: Request) -> Response:
        return JSONResponse({"endpoints": [_inside(endpoint) for endpoint in self._endpoints.all()]})

    async def _force_status(self, request: Request) -> Response:
        endpoint = self._endpoints.find(request.path_params["name"])
        if endpoint is None:
            return JSONResponse({"error": f"no endpoint {request.path_params['name']}"}, status_code=404)
        try:
            status = json.loads(await request.body())["status"]
        except (ValueError, KeyError, TypeError):
            status = None
        if status not in get_args(Status):
            expected = ", ".join(get_args(Status))
            return JSONResponse({"error": f'expected {{"status": one of {expected}}}'}, status_code=400)
        endpoint.force_status(status)
        return JSONResponse({"status": status})

    async def _logs(self, request: Request) -> Response:
        endpoint = self._endpoints.find(request.path_params["name"])
        name = endpoint.record.name if endpoint else request.path_params["name"]
        logs = [path for path in self._logs_dir.glob("*/*.log") if path.parent.name.lower() == name.lower()]
        if not logs:
            return PlainTextResponse(f"no logs of endpoint {name}\n", status_code=404)
        logs.sort(key=lambda path: path.stat().st_mtime)
        return PlainTextResponse("".join(f"==> {path.name} <==\n{_tail(path)}\n" for path in logs))

    async def _page(self, _request: Request) -> Response:
        rows = "".join(_row(endpoint) for endpoint in self._endpoints.all())
        return HTMLResponse(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Local SageMaker</title>"
            "<style>body{font:15px/1.5 system-ui;margin:2rem}table{border-collapse:collapse}"
            "td,th{padding:.3rem .8rem;border-bottom:1px solid #ccc;text-align:left}</style>"
            f"<h1>Local SageMaker</h1><p>Region {html.escape(self._settings.region)}, "
            f"state in <code>{html.escape(str(self._settings.state_dir))}</code></p>"
            "<table><tr><th>Endpoint<th>Status<th>Configuration<th>Variants<th>Logs</tr>"
            f"{rows or '<tr><td colspan=5>No endpoints yet</td></tr>'}</table>"
        )


def _inside(endpoint: Lifecycle) -> dict[str, Any]:
    record = endpoint.record
    return {
        "name": record.name,
        "status": record.status,
        "config": record.config_name,
        "failure_reason": record.failure_reason,
        "variants": [
            {
                "name": variant.variant.name,
                "config": variant.config_name,
                "weight": variant.variant.weight,
                "model": variant.variant.model_name,
                "replicas": [
                    {"pid": replica.pid, "requests": instance.requests, "log": str(replica.log_path)}
                    for instance in variant.instances
                    for replica in instance.replicas
                ],
            }
            for fleet in endpoint.fleets
            for variant in fleet.everyone
        ],
    }


def _row(endpoint: Lifecycle) -> str:
    inside = _inside(endpoint)
    variants = "<br>".join(
        html.escape(
            f"{variant['name']}: weight {variant['weight']:g}, model {variant['model']}, "
            f"processes {', '.join(str(replica['pid']) for replica in variant['replicas']) or 'none'}"
        )
        for variant in inside["variants"]
    )
    name = html.escape(inside["name"])
    reason = f"<br><small>{html.escape(inside['failure_reason'])}</small>" if inside["failure_reason"] else ""
    return (
        f"<tr><td>{name}<td>{inside['status']}{reason}<td>{html.escape(inside['config'])}<td>{variants}"
        f'<td><a href="/_local/endpoints/{name}/logs">logs</a></tr>'
    )


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_TAIL))
        return file.read().decode("utf-8", "replace")
