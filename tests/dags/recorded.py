"""What the DAGs of jobs have in common: a chain that is recorded in any case, by cron or on new files."""

from collections.abc import Callable, Sequence
from typing import Any

Build = Callable[[str], dict[str, Any]]


def check_chain(dag: Any, chain: Sequence[str], record: str) -> None:
    """The tasks follow one another, then `record` and `outcome`, which always run."""
    found = {task.task_id: (set(task.upstream_task_ids), task.trigger_rule.value) for task in dag.tasks}
    before: dict[str, set[str]] = dict(zip(chain[1:], ({task} for task in chain), strict=False))
    assert found == {
        **{task: (before.get(task, set()), "none_failed") for task in chain},
        record: ({chain[-1]}, "all_done"),
        "outcome": ({record}, "all_done"),
    }
    assert [task.task_id for task in dag.leaves] == ["outcome"]
    retries = {task.task_id: task.retries for task in dag.tasks}
    assert retries == {**dict.fromkeys(chain, 4), record: 6, "outcome": 6}


def check_schedules(build: Build, section: str, *, watches: str, prefix: str) -> None:
    """It runs by cron, on new files below a prefix, by both, or by hand; `section` ends the spec."""

    def schedule(more: str) -> Any:
        (dag,) = build(section + more).values()
        return dag.schedule

    assert schedule("") is None
    assert schedule("  schedule: '@daily'\n") == "@daily"
    (asset,) = schedule("  on_new_data: true\n  poll_seconds: 7\n")
    named = (f"{watches}__churn__prod", f"x-endpoint-deploy://churn__prod/{watches}")
    assert (asset.name, asset.uri) == named
    (watcher,) = asset.watchers
    assert (watcher.trigger.prefix, watcher.trigger.poll_seconds) == (prefix, 7)
    both = schedule("  on_new_data: true\n  schedule: '@daily'\n")
    assert type(both).__name__ == "AssetOrTimeSchedule"
