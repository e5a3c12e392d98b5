"""Which deployment proves what another one releases: the environments of one model, put in relation."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from endpoint_deploy.core.load import Deployment

Lookup = Callable[[str, Path], Deployment | None]
"""Finds the deployment of a key that was not loaded, as seen from a file; None where there is none."""


def link(found: Iterable[Deployment], elsewhere: Lookup) -> tuple[tuple[Deployment, str | None], ...]:
    """Each deployment with the one that it promotes, and what is wrong with its `from_environment`."""
    known = {each.key: each for each in found}

    def promoted(one: Deployment) -> Deployment | None:
        key = one.spec.promoted_key
        if key is not None and key not in known and (other := elsewhere(key, one.source)) is not None:
            known[key] = other
        return known.get(key) if key is not None else None

    return tuple(_linked(each, promoted) for each in tuple(known.values()))


def _linked(
    one: Deployment, promoted: Callable[[Deployment], Deployment | None]
) -> tuple[Deployment, str | None]:
    if one.spec.promotion is None:
        return one, None
    named = repr(one.spec.promotion.from_environment)
    other = promoted(one)
    if other is None:
        return one, f"{named}, of which no spec of {one.spec.name} can be used"
    seen: list[str] = []
    step: Deployment | None = other
    while step is not None and step.key not in seen:
        if step.key == one.key:
            return one, f"{named}, which takes over what is released here"
        seen.append(step.key)
        step = promoted(step)
    return replace(one, proved_in=other), None
