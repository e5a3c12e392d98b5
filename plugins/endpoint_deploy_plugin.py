"""What Airflow registers of the pipeline: its links on tasks, and its pages with the data behind them.

Every process of Airflow's imports this module, so it imports nothing that takes long.
"""

from airflow.plugins_manager import AirflowPlugin

from endpoint_deploy.task_links import EVERY_LINK
from endpoint_deploy.ui.lazy import application


class EndpointDeployPlugin(AirflowPlugin):
    """Makes links and pages known to the API server, which draws them from what tasks and ledger left."""

    name = "endpoint_deploy"
    operator_extra_links = [*EVERY_LINK]  # noqa: RUF012  Airflow declares all of them as lists
    fastapi_apps = [  # noqa: RUF012
        {"name": "endpoint_deploy", "app": application, "url_prefix": "/endpoint-deploy"}
    ]
    # Airflow's page imports the module and looks for a global of the app's name. Addresses are relative to
    # its own, which may have a path.
    react_apps = [  # noqa: RUF012
        {
            "name": "Endpoints",
            "bundle_url": "endpoint-deploy/pages/endpoints.js",
            "url_route": "endpoints",
            "destination": "nav",
            "icon": "endpoint-deploy/pages/icon.svg",
            "nav_top_level": True,
        },
        {
            "name": "Endpoint",
            "bundle_url": "endpoint-deploy/pages/endpoint-tab.js",
            "url_route": "endpoint",
            "destination": "dag",
        },
        {
            "name": "Release",
            "bundle_url": "endpoint-deploy/pages/release-tab.js",
            "url_route": "release",
            "destination": "dag_run",
        },
    ]
