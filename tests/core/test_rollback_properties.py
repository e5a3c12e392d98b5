"""From wherever a release may stop, the way back ends where it began, and clients never notice."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.core.observed import Observed, ObservedConfig, ObservedEndpoint, same_weights
from endpoint_deploy.core.plan import Plan
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.rollback import Delete, Done
from endpoint_deploy.core.spec import DeploymentSpec
from tests.core.builders import (
    candidate,
    endpoint_on,
    final_config,
    hung,
    live,
    planned_config,
    spec,
    variant,
)
from tests.core.simulated_service import Service, never_stops_serving, walk_back

OLD, NEW, OTHER = candidate("a"), candidate("b"), candidate("c")
_MOST_STEPS = 12
_COUNTS = st.integers(1, 6)
_WEIGHTS = st.sampled_from([0.0, 0.3, 0.7, 1.0])


@st.composite
def specs(draw: st.DrawFn, strategy: str, names: tuple[str, ...]) -> DeploymentSpec:
    weights = draw(st.lists(_WEIGHTS, min_size=len(names), max_size=len(names)).filter(any))
    variants = [
        variant(name, count=draw(_COUNTS), weight=weight) for name, weight in zip(names, weights, strict=True)
    ]
    more: dict[str, Any] = {}
    if strategy == "staged":
        more = {"steps": draw(st.sampled_from([[], [10], [5, 50]]))}
    if strategy == "ab_test":
        metric = {"namespace": "Shop", "name": "Converted", "least_difference": 1}
        more = {"split_percent": draw(st.sampled_from([10, 50])), "metric": metric}
    return spec(*variants, release={"strategy": strategy, **more})


@st.composite
def situations(draw: st.DrawFn) -> tuple[Plan, Service]:
    """An endpoint that serves, moved by hand or autoscaling, perhaps with a release that hung; and a plan."""
    strategy = draw(st.sampled_from(["staged", "direct", "ab_test"]))
    names = st.sampled_from([("a",), ("a", "b"), ("b", "c"), ("a", "b", "c")])
    before, after = (draw(specs(strategy, draw(names))) for _ in range(2))
    champion = final_config(before, OLD)
    on = [body["VariantName"] for body in champion.variants]
    counts = {
        body["VariantName"]: draw(st.integers(body["InitialInstanceCount"], 9)) for body in champion.variants
    }
    drawn = draw(st.lists(_WEIGHTS, min_size=len(on), max_size=len(on)).filter(any))
    weights = dict(zip(on, drawn, strict=True))
    seen = live(champion, counts=counts, weights=weights)
    if strategy != "direct" and draw(st.booleans()):
        first = make_plan(after, draw(st.sampled_from([NEW, OTHER])), seen)
        seen = hung(first, champion, shifted=draw(st.booleans()), counts=counts)
    plan = make_plan(after, NEW, seen)
    return plan, _service(plan, seen)


def _service(plan: Plan, seen: Observed) -> Service:
    configs = [seen.config, seen.champion, seen.last_good]
    configs += [planned_config(c) for c in (plan.config, plan.joint) if c]
    return Service({c.name: c for c in configs if c}, seen.endpoint)


def _stop_somewhere(data: st.DataObject, plan: Plan, service: Service) -> None:
    """Carry out a part of the plan, cut short by a crash or by the service."""
    todo = [name for name in ("change", "shift", "retire") if getattr(plan, name)]
    for name in todo[: data.draw(st.integers(0, len(todo)), label="steps done")]:
        slot = getattr(plan, name)
        if name == "shift":
            step = data.draw(st.integers(0, len(slot.steps)), label="step of the traffic")
            for each in slot.walk[:step]:
                service.adjust(each.weights, {})
            weights = slot.walk[step].weights
            part = data.draw(st.sampled_from([1.0, 0.5]), label="part of the traffic shifted")
            assert service.endpoint
            now = service.endpoint.weights
            service.adjust({n: now[n] + part * (w - now[n]) for n, w in weights.items()}, {})
        else:
            service.apply(slot)


def _same(endpoint: ObservedEndpoint | None, plan: Plan, declared: Mapping[str, ObservedConfig]) -> bool:
    target = plan.roll_back_to
    assert target
    assert target.config in declared
    return (
        endpoint is not None
        and endpoint.status == "InService"
        and endpoint.config == target.config
        and same_weights(endpoint.weights, {v.name: v.weight for v in target.variants})
        and {v.name: v.desired_count for v in endpoint.variants} == {v.name: v.count for v in target.variants}
    )


@given(situation=situations(), data=st.data())
def test_wherever_a_release_stops_what_served_before_serves_again_without_a_gap(
    situation: tuple[Plan, Service], data: st.DataObject
) -> None:
    plan, service = situation
    _stop_somewhere(data, plan, service)
    if plan.action == "nothing":
        return
    service.seen.clear()
    service.seen.append(service.endpoint)
    taken, end = walk_back(plan, service, most=_MOST_STEPS)
    assert isinstance(end, Done)
    assert _same(service.endpoint, plan, service.configs)
    assert never_stops_serving(service.seen)
    assert Delete() not in taken


@given(situation=situations(), data=st.data())
def test_a_mix_that_the_service_left_is_made_whole_again_without_a_gap(
    situation: tuple[Plan, Service], data: st.DataObject
) -> None:
    plan, service = situation
    _stop_somewhere(data, plan, service)
    if plan.action in {"nothing", "reweigh"}:
        return
    assert service.endpoint
    service.endpoint = service.endpoint.model_copy(update={"status": "UpdateRollbackFailed"})
    taken, end = walk_back(plan, service, most=_MOST_STEPS)
    assert isinstance(end, Done)
    assert _same(service.endpoint, plan, service.configs)
    assert never_stops_serving(service.seen)
    assert Delete() not in taken


@given(situation=situations(), data=st.data(), status=st.sampled_from(["Failed", "OutOfService"]))
def test_an_endpoint_that_broke_on_the_way_is_made_again_as_it_was(
    situation: tuple[Plan, Service], data: st.DataObject, status: str
) -> None:
    plan, service = situation
    _stop_somewhere(data, plan, service)
    if plan.action == "nothing":
        return
    assert service.endpoint
    service.endpoint = service.endpoint.model_copy(update={"status": status})
    taken, end = walk_back(plan, service, most=_MOST_STEPS)
    assert isinstance(end, Done)
    assert _same(service.endpoint, plan, service.configs)
    assert taken[0] == Delete()
    assert taken.count(Delete()) == 1


@given(situation=situations(), data=st.data())
def test_a_way_back_that_is_interrupted_after_any_step_goes_on_to_the_same_end(
    situation: tuple[Plan, Service], data: st.DataObject
) -> None:
    plan, service = situation
    _stop_somewhere(data, plan, service)
    if plan.action == "nothing":
        return
    whole = Service(service.configs, service.endpoint)
    taken, _ = walk_back(plan, whole)
    for step in taken[: data.draw(st.integers(0, len(taken)), label="steps before the crash")]:
        service.take(step)
    walk_back(plan, service)
    assert service.endpoint == whole.endpoint


@given(its_spec=specs("staged", ("a", "b")), status=st.sampled_from(["Failed", "InService", "OutOfService"]))
def test_a_first_release_that_stops_anywhere_leaves_nothing(its_spec: DeploymentSpec, status: str) -> None:
    plan = make_plan(its_spec, NEW, Observed())
    service = _service(plan, Observed())
    assert plan.change
    service.apply(plan.change)
    assert service.endpoint
    service.endpoint = service.endpoint.model_copy(update={"status": status})
    taken, end = walk_back(plan, service)
    assert taken == [Delete()]
    assert isinstance(end, Done)
    assert service.endpoint is None


@given(
    its_spec=specs("staged", ("a", "b")),
    counts=st.dictionaries(st.sampled_from("ab"), _COUNTS),
    recreated=st.booleans(),
    fails=st.booleans(),
)
def test_a_recreated_endpoint_leads_to_the_last_good_one(
    its_spec: DeploymentSpec, counts: dict[str, Any], recreated: bool, fails: bool
) -> None:
    good, failed = final_config(its_spec, OTHER), final_config(its_spec, OLD)
    seen = live(failed, "Failed", last_good=good, counts=counts)
    plan = make_plan(its_spec, NEW, seen)
    service = _service(plan, seen)
    assert plan.change
    if recreated:
        service.broken = frozenset({plan.change.config}) if fails else frozenset()
        service.apply(plan.change)
    _, end = walk_back(plan, service)
    assert isinstance(end, Done)
    assert service.endpoint == endpoint_on(good)
