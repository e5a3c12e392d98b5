"""/_local/quotas: the quotas in force, set and lifted."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_sagemaker.console.answers import BadCall, json_body
from local_sagemaker.quotas import QuotaError, Quotas


class QuotaCalls:
    """GET, PUT {"NAME": N, ...} and DELETE, each answering with the quotas then in force."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def routes(self) -> list[Route]:
        """The calls, by path and method."""
        return [
            Route("/_local/quotas", self._list),
            Route("/_local/quotas", self._set, methods=["PUT"]),
            Route("/_local/quotas", self._remove, methods=["DELETE"]),
            Route("/_local/quotas/{name}", self._remove, methods=["DELETE"]),
        ]

    async def _list(self, _request: Request) -> Response:
        return JSONResponse({"quotas": self._quotas.view()})

    async def _set(self, request: Request) -> Response:
        limits = await json_body(request)
        if not isinstance(limits, dict):
            raise BadCall('expected an object, as in {"ml.m5.large for endpoint usage": 2}')
        try:
            self._quotas.set(limits)
        except QuotaError as error:
            raise BadCall(str(error)) from error
        return await self._list(request)

    async def _remove(self, request: Request) -> Response:
        try:
            self._quotas.remove(request.path_params.get("name"))
        except QuotaError as error:
            raise BadCall(str(error), status=404) from error
        return await self._list(request)
