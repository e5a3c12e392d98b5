"""An archive's manifest as a table."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = ("name", "size", "type", "mode", "directory", "suffix", "depth")


def manifest_frame(members: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
    """Return a row a member, from mappings with `name`, `size` (bytes), `type` and `mode`.

    `directory` is the path above the member (empty at the top), `suffix` the end of its name in lower case
    with the dot, `depth` the number of directories above it.
    """
    import pandas as pd  # noqa: PLC0415 - costs most of a second

    rows = []
    for member in members:
        path = PurePosixPath(member["name"])
        above = [part for part in path.parts[:-1] if part != "."]
        rows.append(
            {
                "name": str(path),
                "size": member["size"],
                "type": member["type"],
                "mode": member["mode"],
                "directory": "/".join(above),
                "suffix": path.suffix.lower(),
                "depth": len(above),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
