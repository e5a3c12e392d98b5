"""The deployment of a tiny model, as the tests of our own DAGs have it."""

from tests.deploy.conftest import rig

__all__ = ["rig"]
