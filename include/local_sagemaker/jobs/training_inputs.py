"""Everything a training job's programs find when they start: code, data, configuration, checkpoints."""

import asyncio
import tarfile
from collections.abc import Sequence

from local_sagemaker.jobs.checkpoints import Checkpoints
from local_sagemaker.jobs.container import Container
from local_sagemaker.jobs.inputs import download, items_of, shard
from local_sagemaker.jobs.run import JobFailed, JobTools
from local_sagemaker.jobs.script_mode import Script, unpack_code
from local_sagemaker.jobs.training_files import write_config, write_hosts
from local_sagemaker.jobs.training_plan import OPT_ML, TrainingPlan
from local_sagemaker.s3.objects import S3Error, S3Objects, split_prefix


async def prepare(
    tools: JobTools, plan: TrainingPlan, script: Script | None, containers: Sequence[Container]
) -> None:
    """Fill the containers; raises JobFailed for what S3 has not, or what cannot be unpacked."""
    if script:
        for container in containers:
            await _fetch_code(tools.s3, script, container)
    for channel in plan.channels:
        items = items_of(tools.s3, channel.source, tools.settings.region, plan.role_arn)
        for number, container in enumerate(containers):
            mine = shard(items, channel.source, number, len(containers))
            await download(tools.s3, mine, container.ml / "input" / "data" / channel.name)
    for container in containers:
        write_config(plan, container)
        write_hosts(plan, container)
    checkpoints = checkpoints_of(tools.s3, plan, containers)
    if checkpoints:
        await checkpoints.restore()


def checkpoints_of(s3: S3Objects, plan: TrainingPlan, containers: Sequence[Container]) -> Checkpoints | None:
    """The job's checkpoints, if it keeps any."""
    if plan.checkpoints is None:
        return None
    uri, path = plan.checkpoints
    relative = path.removeprefix(f"{OPT_ML}/")
    return Checkpoints(s3, uri, [container.ml / relative for container in containers])


async def _fetch_code(s3: S3Objects, script: Script, container: Container) -> None:
    archive, code = container.directory / "source.tar.gz", container.ml / "code"
    try:
        await s3.download(*split_prefix(script.archive_uri), archive)
        await asyncio.to_thread(unpack_code, archive, code)
    except (S3Error, OSError, tarfile.TarError) as error:
        raise JobFailed(f"AlgorithmError: framework error: {error}, exit code: 1") from error
    if not (code / script.program).exists() and not (code / "setup.py").exists():
        raise JobFailed(
            f"AlgorithmError: framework error: {script.program} is not in {script.archive_uri}, exit code: 1"
        )
