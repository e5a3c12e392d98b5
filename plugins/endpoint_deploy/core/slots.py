"""Which tasks of a run have nothing to do, by the plan's empty slots, and why."""

from typing import TypeVar

from endpoint_deploy.core.plan import Plan

T = TypeVar("T")

# What most releases of some strategy have no use for. `plan` skips these, and what comes after them waits for
# what comes before them, too: an edge each in the DAG. Others find out by themselves when they are started.
OPTIONAL = frozenset({"hold", "register_scaling", "shift_traffic", "watch", "retire_champion"})


def why_idle(plan: Plan) -> str | None:
    """Why a run with this plan changes nothing at all; None where it does."""
    if plan.plan_only:
        return "the run was asked for a plan only"
    return None if plan.executes else plan.summary


def empty_slots(plan: Plan, *, watch_seconds: int) -> dict[str, str]:
    """Task ids and reasons, of a plan that changes something; what has something to do is left out.

    watch_seconds: what the spec asks for.
    """
    unwatched = (
        "there is nothing to watch for: no new release, or none to go back to"
        if watch_seconds
        else "release.watch.seconds is 0"
    )
    unchanged = f"the endpoint already has what it needs: {plan.summary}"
    configs = [config for config in (plan.config, plan.joint) if config and config.body]
    slots = {
        "create_model": (plan.action != "rescale", "only the autoscaling is changed"),
        "create_endpoint_config": (configs, "the plan needs no configuration"),
        "create_alarms": (plan.alarms, "no alarm guards this release: the plan's warnings say why"),
        "apply_endpoint": (plan.change, unchanged),
        "wait_for_endpoint": (plan.change, "there is no change to wait for"),
        "register_scaling": (plan.scaling, "no variant is scaled, before or after"),
        "observe_shadow": (plan.observe, "there is no shadow to observe"),
        "smoke_test": (
            plan.observe is None,
            "requests reach no shadow by its name: it is proved once it takes over",
        ),
        "shift_traffic": (plan.shift, "no traffic to shift: the change itself moved it"),
        "watch": (plan.watch, unwatched),
        "retire_champion": (plan.retire, "no champion stands beside the candidate"),
    }
    return {task_id: why for task_id, (slot, why) in slots.items() if not slot}


def filled(slot: T | None) -> T:
    """Return the slot of a task that has something to do; raises LookupError where it is empty after all."""
    if slot is None:
        raise LookupError("the task's slot in the plan is empty")
    return slot
