"""What `tarfile` may raise on bytes made to hurt it: it was not written for those."""

import tarfile
from typing import Final

TAR_DAMAGE: Final = (
    tarfile.TarError,
    ValueError,
    OverflowError,
    RecursionError,
    TypeError,
    AttributeError,
    LookupError,
)
