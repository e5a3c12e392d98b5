"""Shows every spec that cannot be used among Airflow's import errors, where no other DAG is hurt by it.

The file holds no DAG: it imports clean, or raises with one line a problem.
"""

from endpoint_deploy.dag_builders.specs import raise_invalid

raise_invalid()
