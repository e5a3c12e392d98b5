"""Great Expectations itself: imported late, quietly, without telemetry."""

import logging
import os
from types import ModuleType
from typing import Any


def great_expectations() -> ModuleType:
    """Return the module, imported on first use with its telemetry off and its log at warnings."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read once, on import
    # Before the import, which says of some fifty functions that it does not register them.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx  # noqa: PLC0415 - costs four seconds

    # This module sets its own logger to INFO on import, and then tells of each temporary directory.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    return gx


def ephemeral_context() -> Any:
    """Return a new context that lives in memory, without progress bars."""
    gx = great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415 - as above

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context
