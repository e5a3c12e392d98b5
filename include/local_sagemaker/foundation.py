"""What every part of the server stands on: state, time, moto, and the services that the rest reports to."""

import asyncio
import contextlib
from dataclasses import dataclass

import aiohttp

from local_sagemaker.api.validation import service_model
from local_sagemaker.backing.journal import Journal
from local_sagemaker.backing.moto import Moto
from local_sagemaker.backing.proxy import Proxy
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.service import CloudWatch
from local_sagemaker.events.bus import Events
from local_sagemaker.faults.parts import Faults
from local_sagemaker.iam.execution_role import create_execution_role
from local_sagemaker.iam.principals import Principals
from local_sagemaker.logs.shipper import LogShipper
from local_sagemaker.quotas import Quotas
from local_sagemaker.s3.mirror import S3Mirror
from local_sagemaker.s3.restore import restore
from local_sagemaker.settings import Settings
from local_sagemaker.state_dir import STATE_FILE
from local_sagemaker.store import Store

MOTO_LOG = "moto.log"


@dataclass(frozen=True)
class Base:
    """What every other part stands on: state, time, and the services that the rest reports to."""

    settings: Settings
    store: Store
    clock: Clock
    moto: Moto
    mirror: S3Mirror
    journal: Journal
    events: Events
    cloudwatch: CloudWatch
    logs: LogShipper
    faults: Faults
    quotas: Quotas
    principals: Principals | None

    @property
    def region(self) -> str:
        """The region that is served."""
        return self.settings.region


async def base_parts(stack: contextlib.AsyncExitStack, settings: Settings) -> Base:
    """All of it started; `stack` ends it again."""
    store = Store(settings.state_dir / STATE_FILE)
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
    moto, mirror, journal = await _moto_as_it_was(stack, settings, store, client)
    clock = Clock(settings.time_scale)
    events = Events(moto, settings.region)
    stack.push_async_callback(events.stop)
    events.start()
    cloudwatch = await stack.enter_async_context(CloudWatch(store, clock, moto, events, settings.region))
    logs = LogShipper(moto, store)
    stack.push_async_callback(logs.stop)
    logs.start()
    return Base(
        settings=settings,
        store=store,
        clock=clock,
        moto=moto,
        mirror=mirror,
        journal=journal,
        events=events,
        cloudwatch=cloudwatch,
        logs=logs,
        faults=Faults(settings.faults, settings.seed, clock),
        quotas=Quotas(store, settings.quotas),
        principals=Principals(moto) if settings.enforce_iam else None,
    )


async def _moto_as_it_was(
    stack: contextlib.AsyncExitStack, settings: Settings, store: Store, client: aiohttp.ClientSession
) -> tuple[Moto, S3Mirror, Journal]:
    """moto, with all that it held when the server last ended."""
    moto = Moto(client, settings.region, settings.state_dir / MOTO_LOG)
    stack.push_async_callback(moto.stop)
    starting = asyncio.create_task(moto.start())
    service_model("sagemaker")  # read while moto starts: the first request should not wait for it
    await starting
    mirror = S3Mirror(moto, store, settings.state_dir / "s3")
    await restore(moto, mirror)
    await create_execution_role(moto, settings.execution_role_arn)
    journal = Journal(moto, store, Proxy(moto))
    await journal.replay()
    return moto, mirror, journal
