"""The deployments of the specs, read again when a file has changed."""

import threading
from pathlib import Path

from endpoint_deploy.core.load import Deployment
from endpoint_deploy.dag_builders.specs import load_directory, spec_files, specs_directory

_Stamp = tuple[tuple[str, int, int], ...]


class Catalog:
    """All usable deployments by key; what is wrong with the others, Airflow lists among its import errors."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[Path, _Stamp] | None = None
        self._deployments: dict[str, Deployment] = {}

    def deployments(self) -> dict[str, Deployment]:
        """By key, in order. Two hundred files are looked at in milliseconds, and read in a second."""
        directory = specs_directory()
        with self._lock:
            stamp = (directory, _stamps(directory))
            if stamp != self._stamp:
                found = sorted(load_directory(directory).deployments, key=lambda each: each.key)
                self._deployments = {each.key: each for each in found}
                self._stamp = stamp
            return self._deployments


def _stamps(directory: Path) -> _Stamp:
    if not directory.is_dir():
        return ()
    stamps = []
    for path in spec_files(directory):
        try:
            found = path.stat()
        except OSError:  # gone since it was listed
            continue
        stamps.append((str(path), found.st_mtime_ns, found.st_size))
    return tuple(stamps)
