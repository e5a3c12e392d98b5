"""List the DAGs of deployments in Airflow's database: `python -m benchmarks.pages_dags`, their keys on stdin.

A process of its own, since Airflow reads its configuration when it is imported. The rows alone are what the
pages look at; parsing and serializing 3,200 DAGs would take minutes.
"""

import json
import sys

from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.utils.session import create_session

_KINDS = ("deploy", "rollback", "teardown", "freeze")


def main() -> None:
    """Add what is not there yet."""
    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()  # the DAGs refer to it, which Airflow's models do not tell SQLAlchemy
        for key in json.load(sys.stdin):
            for kind in _KINDS:
                session.merge(
                    DagModel(
                        dag_id=f"{kind}__{key}",
                        bundle_name="dags-folder",
                        fileloc=f"{kind}.py",
                        is_stale=False,
                        is_paused=False,
                    )
                )


if __name__ == "__main__":
    main()
