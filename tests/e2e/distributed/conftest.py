"""The services of `docker-compose.yaml`, started natively: the modules share one set-up."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.distributed.backing import BackingError, ensure_backing
from local_stack.distributed.stack import running_distributed
from local_stack.stack import DEFAULT_SPECS_DIR, Stack

_TIME_SCALE = 20.0
# A dead worker is noticed after so many seconds of silence: enough for a task that beats every two.
_SILENCE = "15"


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root: Path = tmp_path_factory.mktemp("distributed")
    specs = root / "specs"
    shutil.copytree(DEFAULT_SPECS_DIR, specs)
    try:
        ensure_backing(root / "state", {})
    except BackingError as error:
        pytest.skip(f"no set-up to test: {error}")
    with (
        running_distributed(
            root / "state",
            specs_dir=specs,
            time_scale=_TIME_SCALE,
            variables={"TASK_HEARTBEAT_TIMEOUT": _SILENCE},
        ) as running,
        running.airflow,
    ):
        yield running
