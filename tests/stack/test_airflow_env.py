"""The one place where Airflow is configured: what reaches Airflow's processes, and what must not."""

import json
import os

from airflow.configuration import conf
from airflow.sdk import Connection
from sqlalchemy import create_engine, text

from local_stack.airflow_env import clean_environment


def test_the_callers_airflow_and_aws_do_not_reach_the_stack() -> None:
    inherited = {
        "HOME": "/home/me",
        "AIRFLOW_HOME": "/home/me/airflow",
        "AIRFLOW__CORE__FERNET_KEY": "theirs",
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://theirs",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "theirs",
        "PYTHONDONTWRITEBYTECODE": "1",
        "UV_CACHE_DIR": "/cache",
    }
    assert clean_environment(inherited) == {"HOME": "/home/me", "UV_CACHE_DIR": "/cache"}


def test_no_profile_of_the_owner_can_be_found() -> None:
    assert os.environ["AWS_CONFIG_FILE"] == os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"


def test_airflow_reads_the_connection_to_the_local_sagemaker() -> None:
    connection = Connection.get("aws_default")
    stated = json.loads(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])
    assert connection.conn_type == "aws"
    assert connection.extra_dejson == stated["extra"]
    assert stated["extra"]["endpoint_url"].startswith("http://127.0.0.1:")


def test_keys_are_generated_and_not_airflows_defaults() -> None:
    for section, option in (("core", "fernet_key"), ("api", "secret_key"), ("api_auth", "jwt_secret")):
        assert len(conf.get(section, option)) > 32, (section, option)


def test_the_metadata_database_is_a_migrated_postgresql(airflow_db: str) -> None:
    with create_engine(airflow_db).connect() as connection:
        assert connection.execute(text("select count(*) from alembic_version")).scalar() == 1
        connection.execute(text("select count(*) from dag_run"))
        assert "PostgreSQL" in str(connection.execute(text("select version()")).scalar())
