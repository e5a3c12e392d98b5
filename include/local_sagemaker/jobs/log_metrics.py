"""Metrics by regular expression from what a job writes (MetricDefinitions)."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import regex

from local_sagemaker.cloudwatch.metrics import is_value

logger = logging.getLogger(__name__)
_EVERY_SECONDS = 0.5
_SECONDS_A_LINE = 1.0  # a pattern that backtracks for ever must not hold the server


class MetricReader:
    """Reads logs as they grow; `found` is called with name and value of each metric, in their order.

    A value that CloudWatch does not take, such as the NaN of a loss that diverges, is passed over.
    """

    def __init__(
        self,
        definitions: Iterable[Mapping[str, str]],
        logs: Iterable[Path],
        found: Callable[[str, float], None],
    ) -> None:
        self._patterns = [(each["Name"], regex.compile(each["Regex"])) for each in definitions]
        self._offsets = dict.fromkeys(logs, 0)
        self._found = found

    def read(self, *, to_the_end: bool = False) -> None:
        """Take in the lines written since the last call; an unfinished one only `to_the_end`."""
        if not self._patterns:
            return
        for path, offset in self._offsets.items():
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(offset)
                text = file.read()
            whole = text if to_the_end else text[: text.rfind(b"\n") + 1]
            self._offsets[path] = offset + len(whole)
            for line in whole.decode("utf-8", "replace").splitlines():
                self._scan(line)

    async def read_for_ever(self) -> None:
        """Read what has been written, twice a second."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            self.read()

    def _scan(self, line: str) -> None:
        for name, pattern in self._patterns:
            try:
                value = _value(pattern.search(line, timeout=_SECONDS_A_LINE))
            except TimeoutError:
                logger.warning("the regex of metric %s takes too long on a line; line passed over", name)
                continue
            if value is not None and is_value(value):
                self._found(name, value)


def _value(match: Any) -> float | None:
    """The first group as a number, or the whole match if there is no group."""
    if match is None:
        return None
    try:
        return float(match[1] if match.re.groups else match[0])
    except (TypeError, ValueError):
        return None
