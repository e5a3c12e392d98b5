"""The distributed set-up seen from outside: start one, use it, stop it."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local_stack.distributed.backing import ensure_backing, remove_backing
from local_stack.distributed.plan import SUPERVISOR, ComposePlan
from local_stack.ports import free_port, is_free
from local_stack.stack import (
    DEFAULT_DAGS_DIR,
    DEFAULT_SPECS_DIR,
    Progress,
    Stack,
    StackError,
    await_ready,
    launch,
    stop,
)

_STOP_SECONDS = 60.0
_UI_PORT = 8080


def start_in_background(state_dir: Path, *, port: int | None, on_progress: Progress) -> Stack:
    """Start the set-up, to end only when it is told to; raises `StackError`, `BackingError`.

    `port` is the UI's; None takes 8080, or a free one where 8080 is taken.
    """
    if port is not None and not is_free(port):
        raise StackError(f"port {port} is taken: choose another with --port, or leave it out")
    plan = _plan(state_dir, port or free_port(_UI_PORT), DEFAULT_SPECS_DIR, 1.0, {}, tied_to_owner=False)
    return await_ready(plan, launch(plan, SUPERVISOR), on_progress)


@contextmanager
def running_distributed(
    state_dir: Path,
    *,
    specs_dir: Path = DEFAULT_SPECS_DIR,
    time_scale: float = 1.0,
    variables: Mapping[str, str] | None = None,
    on_progress: Progress = lambda _detail: None,
) -> Iterator[Stack]:
    """A set-up that lives as long as the `with` block, and leaves no database behind.

    `variables` are those of `docker-compose.yaml`. Raises `StackError`, `BackingError`.
    """
    plan = _plan(
        state_dir, free_port(), specs_dir.resolve(), time_scale, dict(variables or {}), tied_to_owner=True
    )
    try:
        supervisor = launch(plan, SUPERVISOR)
        try:
            yield await_ready(plan, supervisor, on_progress)
        finally:
            supervisor.terminate()
            supervisor.communicate(timeout=_STOP_SECONDS)
    finally:
        remove_backing(plan.state_dir)


def bring_down(state_dir: Path, *, volumes: bool) -> bool:
    """Stop what runs; False where nothing does. With `volumes`, delete its databases and files, too."""
    stopped = stop(state_dir)
    if volumes:
        remove_backing(state_dir.resolve())
        shutil.rmtree(state_dir, ignore_errors=True)
    return stopped


def _plan(
    state_dir: Path,
    port: int,
    specs_dir: Path,
    time_scale: float,
    variables: dict[str, str],
    *,
    tied_to_owner: bool,
) -> ComposePlan:
    state_dir = state_dir.resolve()
    if any(letter.isspace() for letter in str(state_dir)):
        raise StackError(f"{state_dir}: found a space in the path, which commands for a shell cannot have")
    backing = ensure_backing(state_dir, os.environ)
    # Whoever cannot enter it reads nothing of what its volumes open to all.
    state_dir.chmod(0o700)
    return ComposePlan(
        state_dir=state_dir,
        specs_dir=specs_dir,
        dags_dir=DEFAULT_DAGS_DIR,
        api_port=port,
        sagemaker_port=free_port(),
        time_scale=time_scale,
        tied_to_owner=tied_to_owner,
        database_url=backing.database_url,
        redis_url=backing.redis_url,
        variables=variables,
    )
