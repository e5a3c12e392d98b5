"""What a training program finds: configuration files, host names, environment."""

import json
from collections.abc import Mapping

from local_sagemaker.jobs.container import Container
from local_sagemaker.jobs.script_mode import Script, resource_config, toolkit_environment
from local_sagemaker.jobs.training_plan import TrainingPlan

_DIRECTORIES = ("model", "output/data", "input/config", "input/data", "code")


def write_config(plan: TrainingPlan, container: Container) -> None:
    """The directories the contract names, and /opt/ml/input/config/*.json."""
    for name in _DIRECTORIES:
        (container.ml / name).mkdir(parents=True, exist_ok=True)
    files: dict[str, object] = {
        "hyperparameters": plan.hyperparameters,
        "inputdataconfig": {channel.name: channel.config for channel in plan.channels},
        "resourceconfig": resource_config(plan, container.host),
    }
    for name, content in files.items():
        (container.ml / "input" / "config" / f"{name}.json").write_text(json.dumps(content))


def write_hosts(plan: TrainingPlan, container: Container) -> None:
    """A hosts file by which the instances find each other, each at a loopback address of its own."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    lines += [f"127.0.0.{number} {host}" for number, host in enumerate(plan.hosts, start=2)]
    (container.directory / "hosts").write_text("\n".join(lines) + "\n")


def environment_of(
    plan: TrainingPlan, script: Script | None, host: str, credentials: Mapping[str, str]
) -> dict[str, str]:
    """What a container's program sees: the role's credentials, the job, the request's Environment; in
    script mode the toolkit's variables too, which it sets last."""
    own = {"TRAINING_JOB_NAME": plan.name, "TRAINING_JOB_ARN": plan.arn}
    toolkit = toolkit_environment(plan, script, host) if script else {}
    return {**credentials, **own, **plan.environment, **toolkit}
