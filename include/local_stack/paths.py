"""Where the laptop's stack keeps its files."""

from dataclasses import dataclass
from pathlib import Path

REPO_ROOT = Path(__file__).resolve().parents[2]
DEFAULT_STATE_DIR = REPO_ROOT / ".local"


@dataclass(frozen=True)
class StatePaths:
    """Every file and directory of one stack, beneath one state directory.

    The directory is the stack's identity: two stacks run side by side in two state directories.
    """

    root: Path

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.root / "logs"

    @property
    def record(self) -> Path:
        """`stack.json`: what runs, on which ports."""
        return self.root / "stack.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.root / "stack.lock"

    @property
    def secrets(self) -> Path:
        """Generated keys and passwords, readable by the owner only."""
        return self.root / "secrets.json"

    @property
    def passwords(self) -> Path:
        """The same passwords in the form Airflow's simple auth manager reads."""
        return self.root / "passwords.json"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "postgres"

    @property
    def sagemaker(self) -> Path:
        """The local SageMaker's state: endpoints, objects, replicas' files."""
        return self.root / "sagemaker"
