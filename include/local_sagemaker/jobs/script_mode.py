"""Script mode: what the framework images' training toolkit makes of a job, without the image.

Follows sagemaker-training (its `environment`, `mapping` and `entry_point` modules): hyperparameters are
JSON values, those named `sagemaker_*` are the toolkit's own, the others become arguments `--key value`,
and everything is in `SM_*` variables.
"""

import json
import os
import re
import shlex
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from local_sagemaker.jobs.training_plan import OPT_ML, TrainingPlan

CODE_DIR = f"{OPT_ML}/code"
_PREFIX = "sagemaker_"
# The toolkit keeps these for itself; other sagemaker_* are the framework's parameters.
_TOOLKITS_OWN = (
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "sagemaker_region",
    "_tuning_objective_metric",
)
_INFO = 20  # logging.INFO, the toolkit's default
_ERROR_LINE = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit|Warning)\b.*", re.MULTILINE)
_MESSAGE_LENGTH = 600


class ScriptError(Exception):
    """The job names a script in a way that cannot be served; the message says how."""


@dataclass(frozen=True)
class Script:
    """The entry point, and the archive in S3 that holds it."""

    program: str
    archive_uri: str


def script_of(hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> Script | None:
    """The script a job names by hyperparameters or by the images' variables, or None; raises ScriptError."""
    decoded = decode(hyperparameters)
    program = decoded.get("sagemaker_program", environment.get("SAGEMAKER_PROGRAM"))
    archive = decoded.get("sagemaker_submit_directory", environment.get("SAGEMAKER_SUBMIT_DIRECTORY"))
    if program is None:
        return None
    if not isinstance(program, str) or not program:
        raise ScriptError(f"sagemaker_program must be the name of a script, found {program!r}.")
    if not isinstance(archive, str) or not archive.startswith("s3://"):
        raise ScriptError(
            "sagemaker_submit_directory must be the S3 URI of a source archive (tar.gz) here: a directory of "
            f"the image is not there, since no image is pulled; found {archive!r}."
        )
    return Script(program, archive)


def decode(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """The values, taken for JSON where they are JSON."""

    def value(text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return text

    return {key: value(text) for key, text in hyperparameters.items()}


def command_arguments(values: Mapping[str, Any]) -> list[str]:
    """`--key value` in the order of the keys; a key of one letter gets one dash."""

    def shown(value: Any) -> str:
        if isinstance(value, dict):
            return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
        return str(value)

    pairs = ((f"--{key}" if len(key) > 1 else f"-{key}", shown(values[key])) for key in sorted(values))
    return list(chain.from_iterable(pairs))


def command(script: Script, plan: TrainingPlan, code: Path) -> list[str]:
    """What runs the script: Python for a .py, a shell for a .sh, `-m` for a package with a setup.py."""
    arguments = command_arguments(user_hyperparameters(plan))
    if script.program.endswith(".sh"):
        line = " ".join(shlex.quote(part) for part in (f"./{script.program}", *arguments))
        return ["/bin/sh", "-c", line]
    if (code / "setup.py").exists():
        return [sys.executable, "-m", _module(script.program), *arguments]
    return [sys.executable, script.program, *arguments]


def unpack_code(archive: Path, code: Path) -> None:
    """Unpack the source archive; raises OSError or tarfile.TarError."""
    code.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(code, filter="data")
            return
        for member in tar:  # Python before 3.11.4, which Debian 12 ships, knows no filters
            if not (member.isreg() or member.isdir()) or ".." in PurePosixPath(member.name).parts:
                raise tarfile.TarError(f"{member.name}: only files and directories inside are unpacked")
            tar.extract(member, code)


def toolkit_environment(plan: TrainingPlan, script: Script, host: str) -> dict[str, str]:
    """The SM_* variables of one host."""
    decoded = decode(plan.hyperparameters)
    user = user_hyperparameters(plan)
    values = _settings(plan, script, host)
    values["hps"] = user
    values["framework_params"] = {
        key: value for key, value in decoded.items() if key.startswith(_PREFIX) and key not in _TOOLKITS_OWN
    }
    values["log_level"] = decoded.get("sagemaker_container_log_level", _INFO)
    values["user_args"] = command_arguments(user)
    channels = {channel.name: f"{OPT_ML}/input/data/{channel.name}" for channel in plan.channels}
    training = {key: value for key, value in values.items() if key not in ("hps", "user_args", "channels")}
    values["training_env"] = {
        **training,
        "additional_framework_parameters": values["framework_params"],
        "channel_input_dirs": channels,
        "hyperparameters": user,
        "is_master": host == plan.hosts[0],
        "master_hostname": plan.hosts[0],
        "job_name": plan.name,
    }
    values |= {f"channel_{name}": path for name, path in channels.items()}
    values |= {f"hp_{key}": value for key, value in user.items()}
    variables = {f"SM_{key.upper()}": _variable(value) for key, value in values.items()}
    module_path = os.pathsep.join([CODE_DIR, *plan.environment.get("PYTHONPATH", "").split(os.pathsep)])
    return {**variables, "PYTHONPATH": module_path.rstrip(os.pathsep)}


def user_hyperparameters(plan: TrainingPlan) -> dict[str, Any]:
    """The decoded hyperparameters that are the script's own."""
    decoded = decode(plan.hyperparameters)
    own = (key for key in decoded if not key.startswith(_PREFIX) and key not in _TOOLKITS_OWN)
    return {key: decoded[key] for key in own}


def resource_config(plan: TrainingPlan, host: str) -> dict[str, Any]:
    """/opt/ml/input/config/resourceconfig.json."""
    group = "homogeneousCluster"
    return {
        "current_host": host,
        "current_instance_type": plan.instance_type,
        "current_group_name": group,
        "hosts": list(plan.hosts),
        "instance_groups": [
            {"instance_group_name": group, "instance_type": plan.instance_type, "hosts": list(plan.hosts)}
        ],
        "network_interface_name": "lo",
    }


def failure_of(argv: Sequence[str], status: int, log: str) -> str:
    """What the toolkit writes to /opt/ml/output/failure for a script that ended badly."""
    found = list(_ERROR_LINE.finditer(log))
    message = log[found[-1].start() :].strip()[:_MESSAGE_LENGTH] if found else ""
    shown = " ".join(argv)
    return f'ExecuteUserScriptError:\nExitCode {status}\nErrorMessage "{message}"\nCommand "{shown}"'


def _settings(plan: TrainingPlan, script: Script, host: str) -> dict[str, Any]:
    resources = resource_config(plan, host)
    return {
        "hosts": list(plan.hosts),
        "network_interface_name": resources["network_interface_name"],
        "user_entry_point": script.program,
        "resource_config": resources,
        "input_data_config": {channel.name: channel.config for channel in plan.channels},
        "output_data_dir": f"{OPT_ML}/output/data",
        "channels": sorted(channel.name for channel in plan.channels),
        "current_host": host,
        "current_instance_type": plan.instance_type,
        "current_instance_group": resources["current_group_name"],
        "current_instance_group_hosts": list(plan.hosts),
        "instance_groups": [resources["current_group_name"]],
        "is_hetero": False,
        "module_name": _module(script.program),
        "module_dir": script.archive_uri,
        "input_dir": f"{OPT_ML}/input",
        "input_config_dir": f"{OPT_ML}/input/config",
        "output_dir": f"{OPT_ML}/output",
        "output_intermediate_dir": f"{OPT_ML}/output/intermediate",
        "model_dir": f"{OPT_ML}/model",
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": 0,
        "num_neurons": 0,
    }


def _module(program: str) -> str:
    return program.removesuffix(".py").replace("/", ".")


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
