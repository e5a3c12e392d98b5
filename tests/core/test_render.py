from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.render import render_plan
from tests.core.builders import candidate, final_config, live, serverless, spec, staged, variant, wanted

OLD, NEW = candidate("a"), candidate("b")


def test_a_staged_release_reads_from_what_differs_to_the_way_back() -> None:
    before, after = spec(variant(volume_gb=30)), spec(variant(count=2))
    champion = final_config(before, OLD)
    old = champion.variants[0]
    plan = make_plan(after, NEW, live(champion))
    want = wanted(after, NEW)
    new = want.variants[0].name
    assert plan.joint
    champions, candidates = f"{old['VariantName']} (1 x, weight 1)", f"{new} (2 x, weight"
    assert render_plan(plan).splitlines() == [
        "churn-prod: stage",
        f"  add {new} beside {old['VariantName']} on churn-prod, prove it, shift the traffic, retire the old",
        f"  now: InService on {champion.name}",
        "",
        "Differences",
        f"  ~ artifact sha256: {'a' * 64} -> {'b' * 64}",
        "  ~ variant primary InitialInstanceCount: 1 -> 2",
        f"  ~ variant primary ModelName: {old['ModelName']} -> {want.models[0]}",
        "  - variant primary VolumeSizeInGB: 30",
        "",
        "Resources",
        f"  + create model {want.models[0]}",
        f"  + create joint endpoint configuration {plan.joint.name}",
        f"  + create endpoint configuration {want.config}",
        "",
        "Steps",
        f"  1. update endpoint churn-prod to {plan.joint.name}: {champions}, {candidates} 0)",
        f"  2. send the smoke tests to {new}",
        f"  3. set the weights: {old['VariantName']} 0, {new} 1",
        f"  4. update endpoint churn-prod to {want.config}: {candidates} 1), which retires the old variants",
        "",
        "Cost",
        "  during the update 2 ml.m5.large more, until the old ones have stopped",
        "  afterwards 2 ml.m5.large, a day: 48 instance-hours",
        "",
        "Way back",
        f"  to {champion.name}: {champions}",
    ]


def test_a_first_release_says_that_a_failure_leaves_nothing() -> None:
    text = render_plan(make_plan(spec(serverless(), strategy="direct"), NEW, Observed()))
    assert "now: no endpoint" in text
    assert "+ variant primary ServerlessConfig" in text
    assert "1. create endpoint churn-prod on" in text
    assert "primary (serverless, weight 1)" in text
    assert text.endswith("Way back\n  delete the endpoint: there was none before\n")
    assert "Warnings" not in text


def test_what_exists_is_adopted() -> None:
    want = wanted(spec(), NEW)
    text = render_plan(make_plan(spec(), NEW, Observed(existing=frozenset(want.models))))
    assert f"= adopt  model {want.models[0]}" in text
    assert f"+ create endpoint configuration {want.config}" in text


def test_nothing_to_do_is_three_lines() -> None:
    config = final_config(spec(), NEW)
    assert render_plan(make_plan(spec(), NEW, live(config))).splitlines() == [
        "churn-prod: nothing",
        f"  nothing to do: churn-prod already serves {config.name}",
        f"  now: InService on {config.name}",
    ]


def test_warnings_and_a_missing_way_back_are_shown() -> None:
    text = render_plan(make_plan(spec(), NEW, live(final_config(spec(), OLD), "Failed")))
    assert "1. delete endpoint churn-prod and create it on" in text
    assert "Warnings\n  ! there is no way back" in text
    assert text.endswith("Way back\n  none\n")


def test_a_plan_only_says_that_nothing_will_be_changed() -> None:
    _, plan = staged(spec())
    only = plan.model_copy(update={"plan_only": True})
    assert "plan only: nothing will be changed" in render_plan(only)
    assert "plan only" not in render_plan(plan)
