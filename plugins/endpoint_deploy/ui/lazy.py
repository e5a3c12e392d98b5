"""The ASGI application that Airflow mounts, imported when the API server is first asked.

Every process of Airflow's reads the plugins, workers and DAG processors among them: none of those pays for
FastAPI's routes, boto3 and Airflow's own models.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from importlib import import_module
from typing import Any

_Message = MutableMapping[str, Any]
_Application = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]], Awaitable[None]
]
_PAGES = "/pages"


@cache
def _modules() -> _Application:
    application: _Application = import_module("endpoint_deploy.ui.modules").application
    return application


@cache
def _data() -> _Application:
    app = import_module("endpoint_deploy.ui.app")
    app.prepare()
    application: _Application = app.application
    return application


async def application(
    scope: _Message,
    receive: Callable[[], Awaitable[_Message]],
    send: Callable[[_Message], Awaitable[None]],
) -> None:
    """Hand the request to `ui.modules`, which is there at once, or to `ui.app`."""
    # The mount's path is the beginning of the request's (ASGI's root_path).
    below = str(scope.get("path", "")).removeprefix(str(scope.get("root_path", "")))
    # Importing takes a second, in which the API server has others to serve. Whoever opens any page of Airflow
    # asks for the icon here, and whoever asks for a page asks for its data next: it is there by then.
    data = asyncio.create_task(asyncio.to_thread(_data))
    if below.startswith(f"{_PAGES}/"):
        scope = {**scope, "root_path": f"{scope.get('root_path', '')}{_PAGES}"}
        await (await asyncio.to_thread(_modules))(scope, receive, send)
    else:
        await (await data)(scope, receive, send)
