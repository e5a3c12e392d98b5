"""The state directory: held by one server at a time, emptied only if it is one."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

STATE_FILE = "state.sqlite"
REPLICAS_DIR = "replicas"
_LOCK = "lock"


class StateDirError(Exception):
    """The state directory cannot be used; the message says why and what to do."""


@contextlib.contextmanager
def held(state_dir: Path, *, reset: bool) -> Iterator[None]:
    """Hold the directory, created if need be, and with `reset` emptied.

    The system lets go of it however the process ends. Raises StateDirError when another server holds
    it, or when it is to be emptied but holds something else than a state.
    """
    if reset and state_dir.is_dir() and any(state_dir.iterdir()) and not (state_dir / STATE_FILE).exists():
        raise StateDirError(
            f"--reset: {state_dir} is no state directory (it has files, but no {STATE_FILE}), so it is left "
            "alone; give another --state-dir"
        )
    try:
        # Access keys, data and logs lie in it: they are their owner's alone.
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_file = (state_dir / _LOCK).open("a")
    except OSError as error:
        raise StateDirError(
            f"{state_dir} cannot hold the state ({error.strerror}); give another --state-dir"
        ) from error
    with lock_file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateDirError(
                f"{state_dir} is in use by another local SageMaker; stop it, or give another --state-dir"
            ) from error
        # The replicas of a server that was killed are gone, but not their files.
        _remove(state_dir, [REPLICAS_DIR] if not reset else [path.name for path in state_dir.iterdir()])
        yield


def _remove(state_dir: Path, names: list[str]) -> None:
    for name in names:
        path = state_dir / name
        if path.is_dir():
            # A replica that is about to notice that its server was killed may still be writing there.
            shutil.rmtree(path, ignore_errors=name == REPLICAS_DIR)
        elif name != _LOCK:
            path.unlink(missing_ok=True)
