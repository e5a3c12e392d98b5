"""The parts of the server, each started after those it needs."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from local_sagemaker.api.control import ControlPlane, Operation
from local_sagemaker.api.tags import Tags
from local_sagemaker.app import App
from local_sagemaker.autoscaling.service import AutoScaling
from local_sagemaker.backing.moto import Moto
from local_sagemaker.backing.proxy import Proxy
from local_sagemaker.console.admin import Admin
from local_sagemaker.console.sources import Sources
from local_sagemaker.foundation import Base, base_parts
from local_sagemaker.hosting.catalog import ENDPOINT, ENDPOINT_CONFIG, MODEL, Catalog
from local_sagemaker.hosting.checks import endpoint_config_check
from local_sagemaker.hosting.data_plane import DataPlane
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.fleet import FleetTools
from local_sagemaker.hosting.model_checks import model_check
from local_sagemaker.iam.enforcement import Enforcement
from local_sagemaker.iam.job_roles import guarded_jobs
from local_sagemaker.iam.model_access import guarded_model
from local_sagemaker.jobs.credentials import role_credentials
from local_sagemaker.jobs.run import JobTools
from local_sagemaker.jobs.services import Jobs
from local_sagemaker.logs.front import LogsFront
from local_sagemaker.registry.parts import Registry
from local_sagemaker.s3.front import S3Front
from local_sagemaker.s3.objects import S3Objects
from local_sagemaker.settings import Settings
from local_sagemaker.state_dir import REPLICAS_DIR

JOB_LOGS_DIR = "job-logs"


@dataclass(frozen=True)
class _Hosting:
    """Models, their endpoints, and what answers and scales them."""

    registry: Registry
    models: Catalog
    configs: Catalog
    endpoints: Endpoints
    tools: FleetTools
    autoscaling: AutoScaling
    objects: S3Objects
    data_plane: DataPlane


@contextlib.asynccontextmanager
async def assembled(settings: Settings, url: str) -> AsyncIterator[tuple[App, Moto]]:
    """Everything started, and stopped again in the opposite order; yields the application and its moto.

    `url` is where the server will be reached.
    """
    async with contextlib.AsyncExitStack() as stack:
        base = await base_parts(stack, settings)
        hosting = await _hosting(stack, base)
        jobs = _jobs(stack, base, hosting, url)
        yield _app(base, hosting, jobs), base.moto


async def _hosting(stack: contextlib.AsyncExitStack, base: Base) -> _Hosting:
    settings, store, clock, cloudwatch = base.settings, base.store, base.clock, base.cloudwatch
    tools = FleetTools(
        clock,
        settings.state_dir / REPLICAS_DIR,
        settings.state_dir / "logs",
        base.mirror.archive,
        base.faults.instances,
        cloudwatch.endpoint_metrics.measure,
        base.logs.follow,
    )
    registry = Registry(store, clock, base.region, base.events)
    models = Catalog(
        MODEL, store, clock, base.region, model_check(base.mirror, base.region, registry.containers)
    )
    configs = Catalog(ENDPOINT_CONFIG, store, clock, base.region, endpoint_config_check(models.get))
    endpoints = Endpoints(
        settings,
        store,
        tools,
        configs,
        models,
        quotas=base.quotas,
        alarm_states=cloudwatch.states,
        emit=base.events.emit,
    )
    stack.push_async_callback(endpoints.close)
    endpoints.load()
    await endpoints.resume()
    cloudwatch.sample(endpoints.processes)
    autoscaling = await stack.enter_async_context(
        AutoScaling(store, clock, endpoints, cloudwatch, base.region)
    )
    objects = S3Objects(base.moto, base.mirror)
    data_plane = DataPlane(
        settings,
        store,
        clock,
        endpoints,
        metrics=cloudwatch.endpoint_metrics,
        s3=objects,
        moto=base.moto,
    )
    stack.push_async_callback(data_plane.stop)
    data_plane.start()
    return _Hosting(registry, models, configs, endpoints, tools, autoscaling, objects, data_plane)


def _jobs(stack: contextlib.AsyncExitStack, base: Base, hosting: _Hosting, url: str) -> Jobs:
    state = base.settings.state_dir
    jobs = Jobs(
        JobTools(
            settings=base.settings,
            store=base.store,
            clock=base.clock,
            events=base.events,
            quotas=base.quotas,
            s3=hosting.objects,
            logs=base.logs,
            metrics=base.cloudwatch.metrics,
            instances=base.faults.instances,
            jobs_dir=state / "jobs",
            logs_dir=state / JOB_LOGS_DIR,
            endpoint_url=url,
            credentials=role_credentials(base.moto, url, base.region),
        ),
        hosting.models,
        hosting.tools,
    )
    stack.push_async_callback(jobs.close)
    jobs.resume()
    return jobs


def _app(base: Base, hosting: _Hosting, jobs: Jobs) -> App:
    tags = Tags(
        {
            MODEL.kind: hosting.models.tags_of,
            ENDPOINT_CONFIG.kind: hosting.configs.tags_of,
            ENDPOINT.kind: hosting.endpoints.tags_of,
            **jobs.tag_owners(),
            **hosting.registry.tag_owners(),
        }
    )
    proxy = Proxy(base.moto)
    principals = base.principals
    return App(
        ControlPlane(_operations(base, hosting, jobs), tags, base.region),
        hosting.data_plane.runtime,
        S3Front(proxy, base.mirror),
        proxy,
        journal=base.journal,
        events=base.events,
        logs=LogsFront(base.moto),
        admin=_admin(base, hosting, jobs),
        services={
            "monitoring": base.cloudwatch.service(),
            "application-autoscaling": hosting.autoscaling.service(),
        },
        faults=base.faults,
        enforcement=(
            Enforcement(principals, tags, base.cloudwatch.alarms.tags_of, base.mirror, base.region)
            if principals
            else None
        ),
    )


def _operations(base: Base, hosting: _Hosting, jobs: Jobs) -> dict[str, Operation]:
    """SageMaker's API: each operation by its name."""
    operations: dict[str, Operation] = {
        **hosting.models.operations(),
        **hosting.configs.operations(),
        **hosting.endpoints.operations(),
        **jobs.operations(),
        **hosting.registry.operations(),
    }
    return {
        **operations,
        **guarded_model(
            base.principals, base.mirror, hosting.models, base.region, hosting.registry.containers
        ),
        **guarded_jobs(base.principals, operations, hosting.models),
    }


def _admin(base: Base, hosting: _Hosting, jobs: Jobs) -> Admin:
    return Admin(
        Sources(
            settings=base.settings,
            endpoints=hosting.endpoints,
            jobs=jobs,
            cloudwatch=base.cloudwatch,
            autoscaling=hosting.autoscaling,
            events=base.events,
            quotas=base.quotas,
            faults=base.faults,
            logs_dir=hosting.tools.logs_dir,
            job_logs_dir=base.settings.state_dir / JOB_LOGS_DIR,
        )
    )
