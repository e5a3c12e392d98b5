"""A deployment of a test's own, and steady traffic to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import rig
from tests.deploy.rig import Rig
from tests.strategies.traffic import Traffic

__all__ = ["rig"]


@pytest.fixture
def traffic(rig: Rig, local_sagemaker: Any, tmp_path: Path) -> Callable[..., Traffic]:
    """Makes traffic to the rig's endpoint: `with traffic(per_second=20) as asking`."""

    def make(**how: Any) -> Traffic:
        return Traffic(local_sagemaker.url, rig.endpoint, tmp_path, **how)

    return make
