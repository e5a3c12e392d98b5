"""The local SageMaker as a child process."""

import os
import sys
from pathlib import Path
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.loaders import create_loader

from local_stack.airflow_env import (
    ACCESS_KEY_ID,
    REGION,
    SECRET_ACCESS_KEY,
    aws_environment,
    clean_environment,
    python_path,
)
from local_stack.ports import LOOPBACK
from local_stack.processes import Child


class SageMakerServer:
    """One local SageMaker: SageMaker's API and runtime, S3, STS, IAM and CloudWatch on one loopback port.

    `time_scale` says how many of SageMaker's seconds pass in one of ours.
    """

    def __init__(self, state_dir: Path, *, port: int, time_scale: float) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self._state_dir = state_dir
        self._port = port
        self._time_scale = time_scale
        self._ready_file = state_dir.with_name(f"{state_dir.name}.ready")

    def start(self, log: Path) -> Child:
        """Start the process; `is_ready` says when it answers."""
        self._ready_file.unlink(missing_ok=True)
        self._state_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "local_sagemaker", "--port", str(self._port)]
        command += ["--state-dir", str(self._state_dir), "--ready-file", str(self._ready_file)]
        command += ["--time-scale", str(self._time_scale)]
        environment = {
            **clean_environment(os.environ),
            **aws_environment(self.url),
            "PYTHONPATH": python_path(os.environ),
            "PYTHONUNBUFFERED": "1",
        }
        return Child("sagemaker", command, env=environment, log=log)

    def is_ready(self) -> bool:
        """Whether the server has said that it answers."""
        return self._ready_file.exists()


# What botocore parses of the services' models, once a process: some 0.2 s a client otherwise.
_MODELS = create_loader()


def boto3_session() -> boto3.Session:
    """A session with the stack's region and dummy keys; its clients still need an `endpoint_url`."""
    session: Any = boto3.Session(
        aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
    )
    session._session.register_component("data_loader", _MODELS)
    return cast("boto3.Session", session)


def make_client(url: str, service: str, config: Config | None = None) -> Any:
    """A boto3 client, by boto3's name of the service, of the local SageMaker at `url`."""
    session: Any = boto3_session()  # its stubs know each service's name, not any string
    return session.client(service, endpoint_url=url, config=config)
