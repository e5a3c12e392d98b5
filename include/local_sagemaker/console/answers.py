"""JSON answers of the server's own calls, and the bodies they take."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse


class BadCall(Exception):
    """A call of /_local that is refused; the message says what was found and what was expected."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def json_body(request: Request) -> Any:
    """The request's body as JSON; raises BadCall."""
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise BadCall(f"the body is not JSON: {error}") from error


async def on_bad_call(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a refused call."""
    status = error.status if isinstance(error, BadCall) else 500
    return JSONResponse({"error": str(error)}, status_code=status)
