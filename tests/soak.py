"""What `make test` leaves to `make soak`: parts of a matrix of which it runs some itself."""

import os
from collections.abc import Collection, Iterable
from typing import Any

import pytest

SOAK = "SOAK" in os.environ
in_soak = pytest.mark.skipif(not SOAK, reason="one of several alike, of which others are tried: make soak")


def some_of(cases: Iterable[Any], always: Collection[Any]) -> list[Any]:
    """A matrix's cases for `parametrize`: all but those that are always tried are left to `make soak`."""
    return [case if case in always else pytest.param(case, marks=in_soak) for case in cases]
