"""What a distributed set-up is to be: handed to its supervisor."""

from pathlib import Path

from local_stack.paths import REPO_ROOT
from local_stack.plan import StackPlan

SUPERVISOR = "local_stack.distributed.supervisor"


class ComposePlan(StackPlan):
    """Everything the supervisor needs to know beside `docker-compose.yaml`."""

    database_url: str
    """postgresql://… of a database that is there."""
    redis_url: str
    """redis://… with the number of a database."""
    variables: dict[str, str]
    """Of `docker-compose.yaml`, beside the ports and the time scale."""

    @property
    def compose_file(self) -> Path:
        """The file that says what runs."""
        return REPO_ROOT / "docker-compose.yaml"

    @property
    def secrets_dir(self) -> Path:
        """The volume of that name."""
        return self.volume("secrets")

    def volume(self, name: str) -> Path:
        """The directory that stands for a volume."""
        return self.state_dir / "volumes" / name

    def all_variables(self) -> dict[str, str]:
        """What `docker-compose.yaml` is read with."""
        return {
            **self.variables,
            "AIRFLOW_PORT": str(self.api_port),
            "SAGEMAKER_PORT": str(self.sagemaker_port),
            "SAGEMAKER_TIME_SCALE": str(self.time_scale),
        }
