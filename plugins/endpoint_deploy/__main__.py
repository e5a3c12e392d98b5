"""`python -m endpoint_deploy`."""

from endpoint_deploy.cli import app

app()
