"""Runs by a real scheduler and triggerer: the modules share one running stack, and so a worker."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from local_stack.stack import Stack


@pytest.fixture(scope="package")
def stack(start_stack: Callable[[str], AbstractContextManager[Stack]]) -> Iterator[Stack]:
    with start_stack("runs") as running:
        yield running
