"""Puts the parts together, starts them in order, and stops them."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable

import uvicorn

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.app import App
from local_sagemaker.assembly import assembled
from local_sagemaker.backing.moto import Moto
from local_sagemaker.foundation import MOTO_LOG
from local_sagemaker.settings import Settings
from local_sagemaker.state_dir import held


class ServerError(Exception):
    """The server cannot go on; the message says why and what to do."""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises StateDirError or ServerError."""
    _on_stop_signals(_cancel(asyncio.current_task()))
    with held(settings.state_dir, reset=settings.reset), _listening(settings) as listener:
        async with assembled(settings, _url(settings, listener)) as (app, moto):
            # uvicorn stops by itself on these signals, then raises them once more.
            _on_stop_signals(lambda: None)
            await _serve(app, moto, listener, settings)


def _on_stop_signals(handler: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, handler)


def _cancel(task: asyncio.Task[None] | None) -> Callable[[], object]:
    return task.cancel if task else lambda: None


def _listening(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=1024)
    except OSError as error:
        raise ServerError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "give another --port, or 0 for a free one"
        ) from error


def _url(settings: Settings, listener: socket.socket) -> str:
    return f"http://{settings.host}:{listener.getsockname()[1]}"


async def _tell_of_end(server: uvicorn.Server, app: App) -> None:
    """Have what holds connections open let go of them: uvicorn waits for all of them to end."""
    while not server.should_exit:
        await asyncio.sleep(0.1)
    app.faults.connections.ending.set()


async def _serve(app: App, moto: Moto, listener: socket.socket, settings: Settings) -> None:
    config = uvicorn.Config(
        app,
        http=app.faults.connections.protocol(),
        lifespan="off",
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=300,  # longer than clients keep their idle connections
        timeout_graceful_shutdown=3,
        server_header=False,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    _announce(settings, app, _url(settings, listener))
    telling = asyncio.create_task(_tell_of_end(server, app))
    moto_ended = asyncio.create_task(moto.wait_ended())
    await asyncio.wait({serving, moto_ended}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        server.should_exit = True
        await serving
        raise ServerError(
            f"moto_server ended, and S3 with it; see {settings.state_dir / MOTO_LOG}. "
            "Start again: nothing is lost"
        )
    moto_ended.cancel()
    telling.cancel()


def _announce(settings: Settings, app: App, url: str) -> None:
    faults = f"  faults:  {len(settings.faults)} in force, seed {settings.seed}\n" if settings.faults else ""
    print(
        f"Local SageMaker at {url} (region {settings.region}, account {ACCOUNT_ID})\n"
        f"  serves:  {', '.join(app.served)}; sts, iam and all else that moto knows through moto\n"
        f"  use it:  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={settings.region}"
        " AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n"
        f"  role:    {settings.execution_role_arn}\n"
        f"  look:    {url}/\n"
        f"{faults}"
        f"  state:   {settings.state_dir}",
        flush=True,
    )
    if settings.ready_file:
        ready = {
            "endpoint_url": url,
            "pid": os.getpid(),
            "region": settings.region,
            "account": ACCOUNT_ID,
            "execution_role_arn": settings.execution_role_arn,
            "state_dir": str(settings.state_dir),
        }
        # Written whole: who waits for the file never reads half of it.
        partial = settings.ready_file.with_name(f"{settings.ready_file.name}.partial")
        partial.write_text(json.dumps(ready))
        partial.replace(settings.ready_file)
