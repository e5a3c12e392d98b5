"""What a stack is to be: handed by whoever starts one to its supervisor."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from local_stack.ports import LOOPBACK


class StackPlan(BaseModel):
    """Everything a supervisor needs to know; all paths are absolute."""

    model_config = ConfigDict(frozen=True)

    state_dir: Path
    dags_dir: Path
    specs_dir: Path
    api_port: int
    sagemaker_port: int
    time_scale: float
    """How many of SageMaker's seconds pass in one of ours."""
    tied_to_owner: bool
    """End when standard input closes, that is when the process that started the stack is gone."""
    revive_seconds: float | None = None
    """Start again what dies, after so long, as a service manager does; None: the whole stack ends then."""
    airflow_options: dict[str, str] = {}
    """Airflow's options as SECTION__OPTION, over those that every stack has."""

    @property
    def api_url(self) -> str:
        """Airflow's UI and API."""
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def sagemaker_url(self) -> str:
        """The local SageMaker, S3 and their siblings."""
        return f"http://{LOOPBACK}:{self.sagemaker_port}"

    @property
    def secrets_dir(self) -> Path:
        """Where the stack's generated keys and passwords lie."""
        return self.state_dir
