"""What the real service does not have: a page to look at, and calls under /_local."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local_sagemaker.console.answers import BadCall, on_bad_call
from local_sagemaker.console.endpoint_calls import EndpointCalls
from local_sagemaker.console.fault_calls import FaultCalls
from local_sagemaker.console.guard import refused
from local_sagemaker.console.job_calls import JobCalls
from local_sagemaker.console.overview import Overview
from local_sagemaker.console.pages import Pages
from local_sagemaker.console.quota_calls import QuotaCalls
from local_sagemaker.console.sources import Sources


class Admin:
    """The pages and calls under /_local, and the page at /."""

    def __init__(self, sources: Sources) -> None:
        self._region = sources.settings.region
        self._overview = Overview(sources)
        self._app = Starlette(
            routes=[
                Route("/_local/health", self._health),
                Route("/_local/overview", self._whole),
                Route("/_local/alarms", self._alarms),
                Route("/_local/scalable-targets", self._targets),
                Route("/_local/events", self._changes),
                *Pages(self._overview, sources.faults.connections.ending).routes(),
                *EndpointCalls(sources.endpoints, self._overview).routes(),
                *JobCalls(sources.jobs, self._overview).routes(),
                *QuotaCalls(sources.quotas).routes(),
                *FaultCalls(sources.faults.rules, sources.faults.instances).routes(),
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
        return JSONResponse({"status": "ok", "region": self._region})

    async def _whole(self, _request: Request) -> Response:
        return JSONResponse(self._overview.whole())

    async def _alarms(self, _request: Request) -> Response:
        return JSONResponse({"alarms": self._overview.alarms()})

    async def _targets(self, _request: Request) -> Response:
        return JSONResponse({"targets": self._overview.targets()})

    async def _changes(self, _request: Request) -> Response:
        return JSONResponse({"events": self._overview.changes()})
