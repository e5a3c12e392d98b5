"""Callers who change and invoke what a server has, and a ledger of what they were told."""

import contextlib
import io
import random
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.local_sagemaker.server_process import until
from tests.local_sagemaker.world import World

ABSENT = None
Key = tuple[str, str]


@dataclass
class Ledger:
    """What has been acknowledged, and what was asked for when the server died: one of the two is found."""

    acknowledged: dict[Key, Any] = field(default_factory=dict)
    asked: dict[Key, Any] = field(default_factory=dict)

    @contextlib.contextmanager
    def change(self, kind: str, name: str, value: Any) -> Iterator[None]:
        """Around the call that makes `value` so; ABSENT for one that deletes."""
        self.asked[kind, name] = value
        yield
        self.acknowledged[kind, name] = value
        del self.asked[kind, name]

    def present(self, kind: str) -> list[str]:
        """The names of what is there, as far as anybody was told."""
        items = list(self.acknowledged.items())
        return [name for (found, name), value in items if found == kind and value is not ABSENT]

    def settle(self, kind: str, name: str, found: Any) -> None:
        """Compare what is found after a restart, and take it for what is there from now on."""
        key = (kind, name)
        possible = [self.acknowledged.get(key), *([self.asked[key]] if key in self.asked else [])]
        assert found in possible, f"{kind} {name}: found {found!r}, expected one of {possible!r}"
        self.asked.pop(key, None)
        self.acknowledged[key] = found
        if found is ABSENT:
            del self.acknowledged[key]

    def keys(self) -> list[Key]:
        """Everything that was ever asked for."""
        return list({**self.acknowledged, **self.asked})


class Pressure:
    """Callers of one server, who change and invoke until it dies, and whom nothing fails before."""

    def __init__(self, world: World, ledger: Ledger, chance: random.Random) -> None:
        self.world = world
        self.ledger = ledger
        self.failures: list[str] = []
        self.answered = 0
        self._chance = chance
        self._dying = threading.Event()

    def until_killed(self, seconds: float) -> None:
        """Put every caller to work, and kill the server after that time."""
        callers = (
            *(self.objects, self.catalog, self.endpoints, self.updates),
            *(self.weights, self.training, self.requests),
        )
        with ThreadPoolExecutor(len(callers)) as threads:
            for caller in callers:
                threads.submit(self._keep, caller)
            time.sleep(seconds)
            self._dying.set()
            self.world.server.end(signal.SIGKILL)

    def _keep(self, caller: Callable[[], None]) -> None:
        try:
            while not self._dying.is_set():
                caller()
        except Exception as error:
            # A server that is killed breaks connections, and answers off in their middle.
            if not self._dying.is_set():
                self.failures.append(f"{caller.__name__}: {error!r}")

    def objects(self) -> None:
        """Write, copy and delete objects, whose bodies name their length."""
        key = f"key-{self._chance.randrange(6)}"
        body = f"{self._chance.random()} ".encode() * self._chance.choice([1, 100, 20_000])
        with self.ledger.change("object", key, body):
            self.world.s3.put_object(Bucket=World.BUCKET, Key=key, Body=body)
        if self._chance.random() < 0.3:
            with self.ledger.change("object", key, ABSENT):
                self.world.s3.delete_object(Bucket=World.BUCKET, Key=key)

    def catalog(self) -> None:
        """Make a tagged model and its configuration; delete the oldest beyond six."""
        name, release = self.world.name("Killed"), str(self._chance.random())
        with self.ledger.change("model", name, release):
            create_model(self.world, name, release)
        with self.ledger.change("config", name, name):
            create_config(self.world, name)
        with self.ledger.change("tag", name, release):
            tags = [{"Key": "release", "Value": release}]
            self.world.sagemaker.add_tags(ResourceArn=self.world.arn("endpoint-config", name), Tags=tags)
        for old in self.ledger.present("config")[:-6]:
            with self.ledger.change("tag", old, ABSENT), self.ledger.change("config", old, ABSENT):
                self.world.sagemaker.delete_endpoint_config(EndpointConfigName=old)
            with self.ledger.change("model", old, ABSENT):
                self.world.sagemaker.delete_model(ModelName=old)

    def endpoints(self) -> None:
        """Make an endpoint and, half of the time, wait for it; delete those there are."""
        for name in self.ledger.present("endpoint"):
            if name.startswith("Killed"):
                self.world.settled(name)
                with self.ledger.change("endpoint", name, ABSENT):
                    self.world.sagemaker.delete_endpoint(EndpointName=name)
        name = self.world.name("Killed")
        with self.ledger.change("endpoint", name, "steady-1"):
            self.world.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="steady-1")
        if self._chance.random() < 0.5:
            self.world.settled(name)

    def updates(self) -> None:
        """Update the endpoint that takes requests: to the other release, or to one that cannot start."""
        self.world.settled("steady")
        before = self.ledger.acknowledged["endpoint", "steady"]
        other = "steady-2" if before == "steady-1" else "steady-1"
        target = self._chance.choice([other, other, "bad"])
        with self.ledger.change("endpoint", "steady", before if target == "bad" else other):
            self.world.sagemaker.update_endpoint(EndpointName="steady", EndpointConfigName=target)

    def weights(self) -> None:
        """Change the weight and the count of another endpoint's variant."""
        self.world.settled("weighted")
        weight, count = self._chance.randrange(1, 9), self._chance.randrange(1, 3)
        with self.ledger.change("weights", "weighted", (weight, count)):
            self.world.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName="weighted",
                DesiredWeightsAndCapacities=[
                    {"VariantName": "main", "DesiredWeight": weight, "DesiredInstanceCount": count}
                ],
            )

    def training(self) -> None:
        """Train, one job after another."""
        name = self.world.name("Killed")
        with self.ledger.change("job", name, name):
            self.world.sagemaker.create_training_job(
                TrainingJobName=name,
                RoleArn=self.world.role,
                AlgorithmSpecification={
                    "TrainingImage": "image:1",
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ["sh", "-c", "sleep 0.1; echo 42 > /opt/ml/model/answer"],
                },
                OutputDataConfig={"S3OutputPath": f"s3://{World.BUCKET}/out"},
                ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                StoppingCondition={"MaxRuntimeInSeconds": 3600},
            )
        until(lambda: job_over(self.world, name), f"{name} ends")

    def requests(self) -> None:
        """Invoke; whatever changes, there is an answer of one of the releases."""
        assert self.world.answer("steady")["release"] in ("steady-1", "steady-2")
        self.answered += 1


def create_model(world: World, name: str, release: str, kind: str = "echo") -> None:
    world.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=world.role,
        PrimaryContainer={
            "Image": "image:1",
            "ModelDataUrl": f"s3://{World.BUCKET}/{kind}.tar.gz",
            "Environment": {"RELEASE": release},
        },
    )


def create_config(world: World, name: str) -> None:
    world.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[world.variant(name)], Tags=[{"Key": "a", "Value": "b"}]
    )


def job_over(world: World, name: str) -> dict[str, Any] | None:
    """The description of a training job, once it is over."""
    found = world.sagemaker.describe_training_job(TrainingJobName=name)
    return None if found["TrainingJobStatus"] in ("InProgress", "Stopping") else found


class Inspection:
    """What a restarted server has of each thing in the ledger."""

    def __init__(self, world: World) -> None:
        self.world = world

    def find(self, kind: str, name: str) -> Any:
        """The value, in the ledger's terms; ABSENT when there is no such thing."""
        try:
            return getattr(self, kind)(name)
        except ClientError as error:
            told = error.response["Error"]
            assert told["Code"] in ("ValidationException", "NoSuchKey"), told
            missing = ("Could not find", "Requested resource not found", "The specified key does not exist")
            assert told["Message"].startswith(missing), told
            return ABSENT

    def object(self, key: str) -> bytes:
        return self.world.s3.get_object(Bucket=World.BUCKET, Key=key)["Body"].read()

    def model(self, name: str) -> str:
        container = self.world.sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
        assert container["Image"] == "image:1"
        return container["Environment"]["RELEASE"]

    def config(self, name: str) -> str:
        found = self.world.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        assert found["ProductionVariants"] == [self.world.variant(name)]
        return name

    def tag(self, name: str) -> str | None:
        tags = self.world.sagemaker.list_tags(ResourceArn=self.world.arn("endpoint-config", name))["Tags"]
        found = {tag["Key"]: tag["Value"] for tag in tags}
        assert found["a"] == "b"
        return found.get("release")

    def endpoint(self, name: str) -> str:
        settled = self.world.settled(name)
        assert settled["EndpointStatus"] == "InService", settled
        assert "PendingDeploymentSummary" not in settled
        assert self.world.answer(name)["release"] == settled["EndpointConfigName"]
        return settled["EndpointConfigName"]

    def job(self, name: str) -> str:
        over = until(lambda: job_over(self.world, name), f"{name} ends")
        if over["TrainingJobStatus"] == "Completed":
            key = over["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{World.BUCKET}/")
            with tarfile.open(fileobj=io.BytesIO(self.object(key))) as tar:
                assert tar.getnames() == ["answer"]
        else:  # it was training when its instance went with the server
            assert over["FailureReason"].startswith("InternalServerError"), over
        return name

    def weights(self, name: str) -> tuple[float, int]:
        (variant,) = self.world.settled(name)["ProductionVariants"]
        assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"]
        assert len(self.world.server.replica_pids(name)) == variant["CurrentInstanceCount"]
        return variant["DesiredWeight"], variant["DesiredInstanceCount"]
