"""/_local/faults: the rules in force, made and removed."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_sagemaker.console.answers import BadCall, json_body
from local_sagemaker.faults.engine import FaultRules
from local_sagemaker.faults.file import FaultsError, parse
from local_sagemaker.faults.instances import InstanceFaults


class FaultCalls:
    """GET, POST (a rule, or {"faults": [...]}) and DELETE."""

    def __init__(self, rules: FaultRules, instances: InstanceFaults) -> None:
        self._rules = rules
        self._instances = instances

    def routes(self) -> list[Route]:
        """The calls, by path and method."""
        return [
            Route("/_local/faults", self._list),
            Route("/_local/faults", self._add, methods=["POST"]),
            Route("/_local/faults", self._clear, methods=["DELETE"]),
            Route("/_local/faults/{id}", self._show),
            Route("/_local/faults/{id}", self._remove, methods=["DELETE"]),
        ]

    async def _list(self, _request: Request) -> Response:
        return JSONResponse({"seed": self._rules.seed, "faults": self._rules.view()})

    async def _add(self, request: Request) -> Response:
        try:
            rules = parse(await json_body(request))
        except FaultsError as error:
            raise BadCall(str(error)) from error
        made = self._instances.add(rules)
        return JSONResponse({"faults": [active.view() for active in made]}, status_code=201)

    async def _show(self, request: Request) -> Response:
        active = self._rules.find(request.path_params["id"])
        if active is None:
            raise BadCall(f"no fault {request.path_params['id']!r}", status=404)
        return JSONResponse(active.view())

    async def _remove(self, request: Request) -> Response:
        if not self._rules.remove(request.path_params["id"]):
            raise BadCall(f"no fault {request.path_params['id']!r}", status=404)
        return await self._list(request)

    async def _clear(self, request: Request) -> Response:
        self._rules.remove()
        return await self._list(request)
