"""The parts of the server that its page and its calls look into."""

from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.autoscaling.service import AutoScaling
from local_sagemaker.cloudwatch.service import CloudWatch
from local_sagemaker.events.bus import Events
from local_sagemaker.faults.parts import Faults
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.jobs.services import Jobs
from local_sagemaker.quotas import Quotas
from local_sagemaker.settings import Settings


@dataclass(frozen=True)
class Sources:
    """What there is to see; `logs_dir` has a directory for each endpoint, `job_logs_dir` for each kind."""

    settings: Settings
    endpoints: Endpoints
    jobs: Jobs
    cloudwatch: CloudWatch
    autoscaling: AutoScaling
    events: Events
    quotas: Quotas
    faults: Faults
    logs_dir: Path
    job_logs_dir: Path
