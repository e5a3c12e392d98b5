"""The environment of every Airflow process of a stack: the one place where Airflow is configured."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_stack.paths import REPO_ROOT, StatePaths
from local_stack.secret_store import StackSecrets

REGION = "eu-west-1"
ACCESS_KEY_ID = "local"
SECRET_ACCESS_KEY = "local"  # noqa: S105 - the local SageMaker checks no signature

# Whatever the caller's shell says about Airflow, AWS or Great Expectations is about another installation;
# and bytecode must be written, or each of a stack's processes compiles Airflow anew (start-up doubles).
_INHERITED_AND_DROPPED = ("AIRFLOW", "AWS_", "BOTO", "GX_", "OTEL_", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class AirflowSettings:
    """What differs between two stacks' Airflows."""

    paths: StatePaths
    secrets: StackSecrets
    dags_dir: Path
    specs_dir: Path
    api_url: str
    sagemaker_url: str
    postgres_url: str
    parse_seconds: int = 10
    """How long a DAG file is left alone once it is parsed."""
    options: Mapping[str, str] = field(default_factory=dict)
    """More of Airflow's options as SECTION__OPTION: these win."""


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what would reach into Airflow, AWS or Python's caching."""
    return {key: value for key, value in environment.items() if not key.startswith(_INHERITED_AND_DROPPED)}


def aws_environment(sagemaker_url: str) -> dict[str, str]:
    """Point every boto3 client of a process at the local SageMaker, and at nothing else.

    The owner's own profiles and the instance metadata service are shut out: a laptop's stack must not be
    able to reach a real account.
    """
    return {
        "AWS_ENDPOINT_URL": sagemaker_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def aws_connection(sagemaker_url: str) -> str:
    """The connection `aws_default`, as the JSON Airflow reads from `AIRFLOW_CONN_AWS_DEFAULT`."""
    return json.dumps(
        {
            "conn_type": "aws",
            "login": ACCESS_KEY_ID,
            "password": SECRET_ACCESS_KEY,
            "extra": {"endpoint_url": sagemaker_url, "region_name": REGION},
        }
    )


def python_path(environment: Mapping[str, str]) -> str:
    """PYTHONPATH with the project's packages, whether or not the project is installed."""
    inherited = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return os.pathsep.join([*inherited, str(REPO_ROOT / "plugins"), str(REPO_ROOT / "include")])


def airflow_environment(settings: AirflowSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """The complete environment for Airflow's processes, made from the caller's own."""
    return {
        **clean_environment(environment),
        **aws_environment(settings.sagemaker_url),
        "PYTHONPATH": python_path(environment),
        "PYTHONUNBUFFERED": "1",
        "AIRFLOW_HOME": str(settings.paths.airflow_home),
        "AIRFLOW_CONN_AWS_DEFAULT": aws_connection(settings.sagemaker_url),
        "ENDPOINT_DEPLOY_SPECS": str(settings.specs_dir),
        "GX_ANALYTICS_ENABLED": "false",
        **{f"AIRFLOW__{option}": value for option, value in _options(settings).items()},
    }


def _options(settings: AirflowSettings) -> dict[str, str]:
    """Airflow's options as SECTION__OPTION."""
    return {
        "CORE__DAGS_FOLDER": str(settings.dags_dir),
        "CORE__PLUGINS_FOLDER": str(REPO_ROOT / "plugins"),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": settings.secrets.fernet_key,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(settings.paths.passwords),
        "CORE__EXECUTION_API_SERVER_URL": f"{settings.api_url}/execution/",
        "API__BASE_URL": settings.api_url,
        "API__SECRET_KEY": settings.secrets.api_secret_key,
        "API_AUTH__JWT_SECRET": settings.secrets.jwt_secret,
        "DATABASE__SQL_ALCHEMY_CONN": settings.postgres_url,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(settings.parse_seconds),
        **_tuning(),
        **settings.options,
    }


def _tuning() -> dict[str, str]:
    """Options for a laptop, most of which buy speed: each with what it bought when measured."""
    return {
        # The gap between two tasks is the scheduler's idle sleep: 0.95 s by default, 0.08 s so.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # By default a third of the tasks hold their slot for 5 s after they have finished.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # Each of the executor's workers costs 0.4 s to start, and a release is one task at a time.
        "CORE__PARALLELISM": "8",
        # A new or edited DAG file is listed within seconds, as `parse_seconds` says; the second one alone is
        # worth 25 s.
        "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "1",
        # 30 s by default, of the clock on the wall: a laptop that is busy otherwise takes as long to import.
        "CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "180",
    }
