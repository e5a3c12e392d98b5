"""What Airflow registers of the pipeline: its links on tasks."""

from airflow.plugins_manager import AirflowPlugin

from endpoint_deploy.links import DataDocsLink


class EndpointDeployPlugin(AirflowPlugin):
    """Makes the links known to the API server, which draws them from what the task has left."""

    name = "endpoint_deploy"
    operator_extra_links = [DataDocsLink()]  # noqa: RUF012  Airflow declares it as a list
