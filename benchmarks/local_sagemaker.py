"""The local SageMaker: what its front costs a request, and how fast an instance starts.

The reference of a request is the same handler in the same process, asked directly: an instance is a uvicorn
server, and the front stands before it. The reference of a start is `python -c "import sklearn"`, which any
process that serves a scikit-learn model has to do.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.results import Result
from local_stack.airflow_env import REGION
from local_stack.sagemaker import make_client
from local_stack.seed import MODELS, build, upload

CONNECTIONS = (1, 8, 64)
ROUNDS = 5
SECONDS = 3.0
GOAL_THROUGHPUT = 0.6
GOAL_START = 2.0
ENDPOINT = "bench"
PAYLOAD = MODELS / "breast-cancer" / "payloads" / "benign.json"


def run() -> list[Result]:
    """Every figure of the local SageMaker."""
    with tempfile.TemporaryDirectory() as directory, running_server(Path(directory)) as ready:
        url = ready["endpoint_url"]
        sagemaker = make_client(url, "sagemaker")
        _configure(url, Path(directory), ready["execution_role_arn"])
        starts, imports = _starts(sagemaker)
        return [
            *_requests(url),
            Result(
                "cold start of an instance (scikit-learn)",
                median(starts),
                median(imports),
                "s",
                'python -c "import sklearn"',
                GOAL_START,
                at_least=False,
            ),
        ]


@contextlib.contextmanager
def running_server(directory: Path) -> Iterator[dict[str, Any]]:
    """What a local SageMaker says once it answers; its files and its log are in the directory."""
    ready_file = directory / "ready.json"
    command = [sys.executable, "-m", "local_sagemaker", f"--state-dir={directory / 'state'}"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--ready-file={ready_file}", f"--region={REGION}"], stdout=log, stderr=log
        )
    try:
        while not ready_file.exists():
            if process.poll() is not None:
                raise RuntimeError((directory / "log").read_text())
            time.sleep(0.05)
        yield json.loads(ready_file.read_text())
    finally:
        process.terminate()
        process.wait()


def _configure(url: str, directory: Path, role_arn: str) -> None:
    built = build("breast-cancer", "2", directory)
    uri = upload(make_client(url, "s3"), built.path, "breast-cancer", "2")
    sagemaker = make_client(url, "sagemaker")
    sagemaker.create_model(
        ModelName=ENDPOINT,
        ExecutionRoleArn=role_arn,
        PrimaryContainer={
            "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1",
            "ModelDataUrl": uri,
        },
    )
    variant = {"VariantName": "main", "ModelName": ENDPOINT, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=ENDPOINT, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
    )


def _starts(sagemaker: Any) -> tuple[list[float], list[float]]:
    """Seconds from CreateEndpoint to InService, and of the import alone, in turns; the endpoint stays."""
    starts, imports = [], []
    for number in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import sklearn"], check=True)
        imports.append(time.perf_counter() - began)
        if number:
            sagemaker.delete_endpoint(EndpointName=ENDPOINT)
            sagemaker.get_waiter("endpoint_deleted").wait(
                EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
        began = time.perf_counter()
        sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=ENDPOINT)
        while (status := sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"]) == "Creating":
            time.sleep(0.01)
        starts.append(time.perf_counter() - began)
        if status != "InService":
            raise RuntimeError(f"the endpoint is {status}")
    return starts, imports


def _requests(url: str) -> list[Result]:
    results = []
    front = int(url.rpartition(":")[2])
    instance = _instance_port(url)
    for connections in CONNECTIONS:
        ours, bare = [], []
        for _ in range(ROUNDS):
            bare.append(_load(instance, "/invocations", connections))
            ours.append(_load(front, f"/endpoints/{ENDPOINT}/invocations", connections))
        goal = GOAL_THROUGHPUT if connections == 8 else None  # noqa: PLR2004 - where the goal is set
        reference_is = "the same handler behind bare uvicorn"
        what = f"invocations through the local SageMaker, {connections} at a time"
        for key, unit, limit in (
            ("requests_per_second", "/s", goal),
            ("p50_ms", "ms", None),
            ("p99_ms", "ms", None),
        ):
            label = what if unit == "/s" else f"{what}: {key.removesuffix('_ms')}"
            results.append(
                Result(
                    label,
                    median(one[key] for one in ours),
                    median(one[key] for one in bare),
                    unit,
                    reference_is,
                    limit,
                )
            )
    return results


def _load(port: int, path: str, connections: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.load", str(port), path, str(PAYLOAD)]
    done = subprocess.run(
        [*command, str(connections), str(SECONDS)], stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _instance_port(url: str) -> int:
    """The port of the one instance: the process that listens and whose parent is the server."""
    import urllib.request  # noqa: PLC0415

    with urllib.request.urlopen(f"{url}/_local/endpoints") as response:  # noqa: S310 - our own server's
        endpoint = json.load(response)["endpoints"][0]
    pid = endpoint["variants"][0]["replicas"][0]["pid"]
    listening = [c.laddr.port for c in psutil.Process(pid).net_connections("tcp") if c.status == "LISTEN"]
    return int(listening[0])
