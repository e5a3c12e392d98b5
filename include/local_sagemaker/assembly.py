"""The parts of the server, each started after those it needs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp

from local_sagemaker.api.control import ControlPlane
from local_sagemaker.api.tags import Tags
from local_sagemaker.api.validation import service_model
from local_sagemaker.app import App
from local_sagemaker.autoscaling.service import AutoScaling
from local_sagemaker.backing.journal import Journal
from local_sagemaker.backing.moto import Moto
from local_sagemaker.backing.proxy import Proxy
from local_sagemaker.clock import Clock
from local_sagemaker.cloudwatch.service import CloudWatch
from local_sagemaker.console.admin import Admin
from local_sagemaker.console.sources import Sources
from local_sagemaker.events.bus import Events
from local_sagemaker.faults.parts import Faults
from local_sagemaker.hosting.catalog import ENDPOINT, ENDPOINT_CONFIG, MODEL, Catalog
from local_sagemaker.hosting.checks import endpoint_config_check
from local_sagemaker.hosting.data_plane import DataPlane
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.fleet import FleetTools
from local_sagemaker.hosting.model_checks import model_check
from local_sagemaker.iam.enforcement import Enforcement
from local_sagemaker.iam.execution_role import create_execution_role
from local_sagemaker.iam.model_access import guarded_model
from local_sagemaker.iam.principals import Principals
from local_sagemaker.jobs.credentials import role_credentials
from local_sagemaker.jobs.run import JobTools
from local_sagemaker.jobs.services import Jobs
from local_sagemaker.logs.front import LogsFront
from local_sagemaker.logs.shipper import LogShipper
from local_sagemaker.quotas import Quotas
from local_sagemaker.registry.parts import Registry
from local_sagemaker.s3.front import S3Front
from local_sagemaker.s3.mirror import S3Mirror
from local_sagemaker.s3.objects import S3Objects
from local_sagemaker.s3.restore import restore
from local_sagemaker.settings import Settings
from local_sagemaker.state_dir import REPLICAS_DIR, STATE_FILE
from local_sagemaker.store import Store

MOTO_LOG = "moto.log"


@contextlib.asynccontextmanager
async def assembled(settings: Settings, url: str) -> AsyncIterator[tuple[App, Moto]]:
    """Everything started, and stopped again in the opposite order; yields the application and its moto.

    `url` is where the server will be reached.
    """
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
        moto, mirror, journal = await _moto_as_it_was(stack, settings, store, client)
        clock = Clock(settings.time_scale)
        events = Events(moto, settings.region)
        stack.push_async_callback(events.stop)
        events.start()
        cloudwatch = await stack.enter_async_context(CloudWatch(store, clock, moto, events, settings.region))
        logs = LogShipper(moto, store)
        stack.push_async_callback(logs.stop)
        logs.start()
        faults = Faults(settings.faults, settings.seed, clock)
        tools = FleetTools(
            clock,
            state / REPLICAS_DIR,
            state / "logs",
            mirror.archive,
            faults.instances,
            cloudwatch.endpoint_metrics.measure,
            logs.follow,
        )
        principals = Principals(moto) if settings.enforce_iam else None
        registry = Registry(store, clock, settings.region, events)
        models = Catalog(
            MODEL, store, clock, settings.region, model_check(mirror, settings.region, registry.containers)
        )
        configs = Catalog(ENDPOINT_CONFIG, store, clock, settings.region, endpoint_config_check(models.get))
        quotas = Quotas(store, settings.quotas)
        endpoints = Endpoints(
            settings,
            store,
            tools,
            configs,
            models,
            quotas=quotas,
            alarm_states=cloudwatch.states,
            emit=events.emit,
        )
        stack.push_async_callback(endpoints.close)
        endpoints.load()
        await endpoints.resume()
        cloudwatch.sample(endpoints.processes)
        autoscaling = await stack.enter_async_context(
            AutoScaling(store, clock, endpoints, cloudwatch, settings.region)
        )
        objects = S3Objects(moto, mirror)
        data_plane = DataPlane(
            settings,
            store,
            clock,
            endpoints,
            metrics=cloudwatch.endpoint_metrics,
            s3=objects,
            moto=moto,
        )
        stack.push_async_callback(data_plane.stop)
        data_plane.start()
        jobs = Jobs(
            JobTools(
                settings=settings,
                store=store,
                clock=clock,
                events=events,
                quotas=quotas,
                s3=objects,
                logs=logs,
                metrics=cloudwatch.metrics,
                instances=faults.instances,
                jobs_dir=state / "jobs",
                logs_dir=state / "job-logs",
                endpoint_url=url,
                credentials=role_credentials(moto, url, settings.region),
            ),
            models,
            tools,
        )
        stack.push_async_callback(jobs.close)
        jobs.resume()
        tags = Tags(
            {
                MODEL.kind: models.tags_of,
                ENDPOINT_CONFIG.kind: configs.tags_of,
                ENDPOINT.kind: endpoints.tags_of,
                **jobs.tag_owners(),
                **registry.tag_owners(),
            }
        )
        operations = {
            **models.operations(),
            **(
                guarded_model(principals, mirror, models, settings.region, registry.containers)
                if principals
                else {}
            ),
            **configs.operations(),
            **endpoints.operations(),
            **jobs.operations(),
            **registry.operations(),
        }
        app = App(
            ControlPlane(operations, tags, settings.region),
            data_plane.runtime,
            S3Front(Proxy(moto), mirror),
            Proxy(moto),
            journal=journal,
            events=events,
            logs=LogsFront(moto),
            admin=Admin(
                Sources(
                    settings=settings,
                    endpoints=endpoints,
                    jobs=jobs,
                    cloudwatch=cloudwatch,
                    autoscaling=autoscaling,
                    events=events,
                    quotas=quotas,
                    faults=faults,
                    logs_dir=tools.logs_dir,
                    job_logs_dir=state / "job-logs",
                )
            ),
            services={
                "monitoring": cloudwatch.service(),
                "application-autoscaling": autoscaling.service(),
            },
            faults=faults,
            enforcement=Enforcement(principals, tags, mirror, settings.region) if principals else None,
        )
        yield app, moto


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
