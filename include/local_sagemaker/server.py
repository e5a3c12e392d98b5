"""Puts the parts together, starts them in order, and stops them."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable

import aiohttp
import uvicorn

from local_sagemaker.admin import Admin
from local_sagemaker.app import App
from local_sagemaker.catalog import ENDPOINT_CONFIG, MODEL, Catalog
from local_sagemaker.checks import endpoint_config_check, model_check
from local_sagemaker.clock import Clock
from local_sagemaker.control import ControlPlane
from local_sagemaker.endpoints import Endpoints
from local_sagemaker.fleet import FleetTools
from local_sagemaker.metrics import Metrics
from local_sagemaker.moto import Moto
from local_sagemaker.proxy import Proxy
from local_sagemaker.runtime import Runtime
from local_sagemaker.s3_front import S3Front
from local_sagemaker.s3_mirror import S3Mirror
from local_sagemaker.settings import ACCOUNT_ID, Settings
from local_sagemaker.state_dir import REPLICAS_DIR, STATE_FILE, held
from local_sagemaker.store import Store
from local_sagemaker.tags import Tags
from local_sagemaker.validation import service_model

MOTO_LOG = "moto.log"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


class ServerError(Exception):
    """The server cannot go on; the message says why and what to do."""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises StateDirError or ServerError."""
    _on_stop_signals(_cancel(asyncio.current_task()))
    with held(settings.state_dir, reset=settings.reset), _listening(settings) as listener:
        async with _app(settings) as (app, moto):
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


async def _serve(app: App, moto: Moto, listener: socket.socket, settings: Settings) -> None:
    config = uvicorn.Config(
        app,
        lifespan="off",
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
    _announce(settings, f"http://{settings.host}:{listener.getsockname()[1]}")
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


def _announce(settings: Settings, url: str) -> None:
    print(
        f"Local SageMaker at {url} (region {settings.region}, account {ACCOUNT_ID})\n"
        "  serves SageMaker hosting, sagemaker-runtime and S3; STS, IAM, CloudWatch and more through moto\n"
        f"  use it:  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={settings.region}"
        " AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n"
        f"  role:    {settings.execution_role_arn}\n"
        f"  look:    {url}/\n"
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


@contextlib.asynccontextmanager
async def _app(settings: Settings) -> AsyncIterator[tuple[App, Moto]]:
    """Everything started, and stopped again in the opposite order."""
    state = settings.state_dir
    async with contextlib.AsyncExitStack() as stack:
        store = Store(state / STATE_FILE)
        stack.callback(store.close)
        client = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,  # bodies are passed on as they are
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept", "Content-Type"),
            )
        )
        moto = Moto(client, settings.region, state / MOTO_LOG)
        stack.push_async_callback(moto.stop)
        starting = asyncio.create_task(moto.start())
        service_model("sagemaker")  # read while moto starts: the first request should not wait for it
        await starting
        mirror = S3Mirror(moto, store, state / "s3")
        await mirror.restore()
        await moto.query(
            "iam",
            {
                "Action": "CreateRole",
                "Version": "2010-05-08",
                "RoleName": settings.execution_role_arn.rpartition("/")[2],
                "AssumeRolePolicyDocument": json.dumps(_TRUST),
            },
        )
        clock = Clock(settings.time_scale)
        tools = FleetTools(clock, client, state / REPLICAS_DIR, state / "logs", mirror.archive)
        models = Catalog(MODEL, store, clock, settings.region, model_check(mirror, settings.region))
        configs = Catalog(ENDPOINT_CONFIG, store, clock, settings.region, endpoint_config_check(models.get))
        endpoints = Endpoints(settings, store, tools, configs, models)
        stack.push_async_callback(endpoints.close)
        endpoints.load()
        await endpoints.resume()
        metrics = Metrics(moto)
        stack.push_async_callback(metrics.stop)
        metrics.start()
        proxy = Proxy(moto)
        tags = Tags(models, configs, endpoints)
        app = App(
            ControlPlane(models, configs, endpoints, tags, settings.region),
            Runtime(settings, endpoints, client, clock, metrics),
            S3Front(proxy, mirror),
            proxy,
            Admin(settings, endpoints, state / "logs"),
        )
        yield app, moto
