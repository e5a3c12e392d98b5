"""A stack that stays after the command that started it has returned."""

from pathlib import Path

from local_stack.plan import StackPlan
from local_stack.ports import free_port, is_free
from local_stack.stack import (
    DEFAULT_DAGS_DIR,
    DEFAULT_SPECS_DIR,
    Progress,
    Stack,
    StackError,
    await_ready,
    launch,
)

_UI_PORT = 8080


def start_in_background(
    state_dir: Path, *, port: int | None, on_progress: Progress, time_scale: float = 1.0
) -> Stack:
    """Start a stack that ends only when it is told to.

    `port` is the UI's; None takes 8080, or a free one where 8080 is taken. Raises `StackError`.
    """
    if port is not None and not is_free(port):
        raise StackError(f"port {port} is taken: choose another with --port, or leave it out")
    plan = StackPlan(
        state_dir=state_dir.resolve(),
        specs_dir=DEFAULT_SPECS_DIR,
        dags_dir=DEFAULT_DAGS_DIR,
        api_port=port or free_port(_UI_PORT),
        sagemaker_port=free_port(),
        time_scale=time_scale,
        tied_to_owner=False,
    )
    return await_ready(plan, launch(plan), on_progress)
