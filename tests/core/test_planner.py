"""The planner over every state in which an endpoint can be found, slot by slot."""

import pytest

from endpoint_deploy.core import tags
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.plan import (
    EndpointChange,
    Live,
    Plan,
    PlannedModel,
    RollBackTo,
    Shift,
    VariantTarget,
)
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.errors import NotAsPlanned, TryAgain
from tests.core.builders import (
    ENDPOINT,
    candidate,
    final_config,
    foreign_config,
    live,
    serverless,
    spec,
    variant,
    wanted,
)

STAGED = spec(variant("big", count=2, weight=0.7), variant("small", weight=0.3))
DIRECT = spec(variant("big", count=2, weight=0.7), variant("small", weight=0.3), strategy="direct")
SERVERLESS = spec(serverless(), strategy="direct")
OLD, NEW = candidate("a"), candidate("b")
ALL = pytest.mark.parametrize(
    "its_spec", [STAGED, DIRECT, SERVERLESS], ids=["staged", "direct", "serverless"]
)
ONE_UPDATE = pytest.mark.parametrize("its_spec", [DIRECT, SERVERLESS], ids=["direct", "serverless"])
BROKEN = pytest.mark.parametrize("status", ["Failed", "OutOfService"])


def _targets(
    its_spec: DeploymentSpec = STAGED, its_candidate: Candidate = NEW, weight: float | None = None
) -> tuple[VariantTarget, ...]:
    return tuple(
        VariantTarget(name=v.name, count=v.count, weight=v.weight if weight is None else weight)
        for v in wanted(its_spec, its_candidate).variants
    )


def _slots(plan: Plan) -> set[str]:
    """The slots that have something to do, besides those that every plan of a change fills."""
    return {
        name for name in ("models", "config", "joint", "change", "shift", "retire") if getattr(plan, name)
    }


@ALL
def test_absent_is_created_and_leaves_nothing_to_go_back_to(its_spec: DeploymentSpec) -> None:
    plan = make_plan(its_spec, NEW, Observed())
    want = wanted(its_spec, NEW)
    assert plan.action == "create"
    assert _slots(plan) == {"models", "config", "change"}
    assert plan.expects == Live(status=None, config=None)
    assert plan.change == EndpointChange(operation="create", config=want.config, variants=_targets(its_spec))
    assert plan.models == tuple(PlannedModel(name=m, exists=False) for m in want.models)
    assert plan.config
    assert plan.config.tags == {
        tags.DEPLOYMENT: "churn__prod",
        tags.ENDPOINT: ENDPOINT,
        tags.ARTIFACT: NEW.sha256,
        tags.STAGE: "final",
    }
    assert plan.proves == tuple(v.name for v in want.variants)
    assert plan.roll_back_to is None
    assert plan.live_after == RollBackTo(config=want.config, variants=_targets(its_spec))
    assert plan.warnings == ()
    assert plan.executes


def test_what_exists_is_adopted() -> None:
    want = wanted(STAGED, NEW)
    plan = make_plan(STAGED, NEW, Observed(existing=frozenset({*want.models, want.config})))
    assert plan.config
    assert plan.config.exists
    assert [m.exists for m in plan.models] == [True]


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
@ALL
def test_nothing_is_planned_while_the_service_changes_the_endpoint(
    its_spec: DeploymentSpec, status: str
) -> None:
    for config in (final_config(its_spec, OLD), final_config(its_spec, NEW), foreign_config()):
        with pytest.raises(TryAgain, match=f"{ENDPOINT} is {status}; expected it settled"):
            make_plan(its_spec, NEW, live(config, status))


@ALL
def test_in_service_on_the_wanted_configuration_there_is_nothing_to_do(its_spec: DeploymentSpec) -> None:
    config = final_config(its_spec, NEW)
    plan = make_plan(its_spec, NEW, live(config))
    assert plan.action == "nothing"
    assert _slots(plan) == set()
    assert plan.proves == ()
    assert plan.roll_back_to is None
    assert not plan.executes
    assert plan.expects == Live(status="InService", config=config.name)
    assert plan.live_after == RollBackTo(config=config.name, variants=_targets(its_spec))


def test_the_services_32_bit_weights_are_no_drift() -> None:
    config = final_config(STAGED, NEW)
    rounded = {v.name: {0.7: 0.699999988079071, 0.3: 0.30000001192092896}[v.weight] for v in _targets()}
    assert make_plan(STAGED, NEW, live(config, weights=rounded)).action == "nothing"


def test_autoscaled_counts_are_no_drift() -> None:
    config = final_config(STAGED, NEW)
    plan = make_plan(STAGED, NEW, live(config, counts={_targets()[0].name: 7}))
    assert plan.action == "nothing"
    assert plan.live_after
    assert [v.count for v in plan.live_after.variants] == [7, 1]


@pytest.mark.parametrize("its_spec", [STAGED, DIRECT], ids=["staged", "direct"])
def test_drifted_weights_are_brought_back_and_counts_left_to_autoscaling(its_spec: DeploymentSpec) -> None:
    config, (big, small) = final_config(its_spec, NEW), _targets(its_spec)
    plan = make_plan(its_spec, NEW, live(config, weights={big.name: 0.0}, counts={big.name: 7}))
    assert plan.action == "reweigh"
    assert _slots(plan) == {"models", "config", "shift"}
    assert plan.shift == Shift(weights={big.name: 0.7, small.name: 0.3})
    drifted = (big.model_copy(update={"count": 7, "weight": 0.0}), small)
    assert plan.roll_back_to == RollBackTo(config=config.name, variants=drifted)
    seven = (big.model_copy(update={"count": 7}), small)
    assert plan.live_after == RollBackTo(config=config.name, variants=seven)
    assert plan.proves == (big.name, small.name)


def test_on_an_older_configuration_the_candidate_is_staged_beside_the_champion() -> None:
    champion, want = final_config(STAGED, OLD), wanted(STAGED, NEW)
    before, after = _targets(its_candidate=OLD), _targets()
    plan = make_plan(STAGED, NEW, live(champion))
    assert plan.action == "stage"
    assert _slots(plan) == {"models", "config", "joint", "change", "shift", "retire"}
    assert plan.joint
    assert plan.joint.name not in {champion.name, want.config}
    assert plan.joint.tags[tags.STAGE] == "joint"
    assert plan.joint.tags[tags.FINAL_CONFIG] == want.config
    assert plan.joint.tags[tags.CHAMPION_CONFIG] == champion.name
    assert plan.change == EndpointChange(
        operation="update", config=plan.joint.name, variants=before + _targets(weight=0.0)
    )
    assert plan.shift == Shift(weights={v.name: 0.0 for v in before} | {v.name: v.weight for v in after})
    assert plan.retire == EndpointChange(
        operation="update", config=want.config, variants=after, retain=("DesiredWeight",)
    )
    assert plan.proves == tuple(v.name for v in after)
    assert plan.roll_back_to == RollBackTo(config=champion.name, variants=before)
    assert plan.live_after == RollBackTo(config=want.config, variants=after)
    assert plan.own_configs == {want.config, plan.joint.name}
    assert plan.warnings == ()


@ONE_UPDATE
def test_on_an_older_configuration_direct_is_one_update(its_spec: DeploymentSpec) -> None:
    champion, want = final_config(its_spec, OLD), wanted(its_spec, NEW)
    plan = make_plan(its_spec, NEW, live(champion))
    assert plan.action == "direct"
    assert _slots(plan) == {"models", "config", "change"}
    assert plan.change == EndpointChange(
        operation="update", config=want.config, variants=_targets(its_spec), retain=None
    )
    assert plan.roll_back_to == RollBackTo(config=champion.name, variants=_targets(its_spec, OLD))
    assert plan.live_after == RollBackTo(config=want.config, variants=_targets(its_spec))
    assert plan.warnings == ()


@ALL
def test_a_foreign_configuration_is_released_over_with_a_caution_and_led_back_to(
    its_spec: DeploymentSpec,
) -> None:
    champion = foreign_config()
    plan = make_plan(its_spec, NEW, live(champion))
    assert plan.action == ("stage" if its_spec is STAGED else "direct")
    back = VariantTarget(name="AllTraffic", count=1, weight=1.0)
    assert plan.roll_back_to == RollBackTo(config="by-hand", variants=(back,))
    assert plan.warnings == ("the live configuration by-hand was not made by this pipeline",)


@ALL
def test_a_deleted_configuration_stops_the_release_with_what_to_do(its_spec: DeploymentSpec) -> None:
    gone = final_config(its_spec, OLD)
    with pytest.raises(NotAsPlanned, match=f"{gone.name}, which has been deleted.*teardown"):
        make_plan(its_spec, NEW, live(gone, config=None, champion=None))


@pytest.mark.parametrize("drifted", [False, True])
def test_the_wanted_configuration_deleted_behind_the_endpoint_is_created_again(drifted: bool) -> None:
    gone, (big, small) = final_config(STAGED, NEW), _targets()
    weights = {big.name: 0.0} if drifted else {}
    plan = make_plan(STAGED, NEW, live(gone, config=None, champion=None, weights=weights))
    assert plan.action == "reweigh"
    assert plan.executes
    assert _slots(plan) == {"models", "config"} | ({"shift"} if drifted else set())
    assert plan.config
    assert not plan.config.exists
    assert "deleted" in plan.summary
    assert plan.live_after == RollBackTo(config=gone.name, variants=(big, small))


@BROKEN
@ALL
def test_broken_is_recreated_with_the_last_good_to_go_back_to(its_spec: DeploymentSpec, status: str) -> None:
    failed, good, want = (
        final_config(its_spec, OLD),
        final_config(its_spec, candidate("c")),
        wanted(its_spec, NEW),
    )
    plan = make_plan(its_spec, NEW, live(failed, status, last_good=good))
    assert plan.action == "recreate"
    assert _slots(plan) == {"models", "config", "change"}
    assert plan.expects == Live(status=status, config=failed.name)
    assert plan.change == EndpointChange(
        operation="recreate", config=want.config, variants=_targets(its_spec)
    )
    assert plan.roll_back_to == RollBackTo(config=good.name, variants=_targets(its_spec, candidate("c")))
    assert plan.warnings == ()


@BROKEN
@ALL
def test_broken_without_a_last_good_has_no_way_back_and_says_so(
    its_spec: DeploymentSpec, status: str
) -> None:
    plan = make_plan(its_spec, NEW, live(final_config(its_spec, OLD), status))
    assert plan.action == "recreate"
    assert plan.roll_back_to is None
    assert plan.warnings == ("there is no way back: no other configuration is known to be good",)


@BROKEN
def test_broken_is_never_led_back_to_the_configuration_that_is_tried(status: str) -> None:
    failed = final_config(STAGED, NEW)
    plan = make_plan(STAGED, NEW, live(failed, status, last_good=failed))
    assert plan.action == "recreate"
    assert plan.change
    assert plan.change.config == failed.name
    assert plan.roll_back_to is None


@BROKEN
def test_broken_and_foreign_is_not_deleted(status: str) -> None:
    with pytest.raises(
        NotAsPlanned, match=r"by-hand was not made by this pipeline.*Delete the endpoint by hand"
    ):
        make_plan(STAGED, NEW, live(foreign_config(), status))


@BROKEN
def test_broken_with_its_configuration_deleted_is_recreated(status: str) -> None:
    gone = final_config(STAGED, OLD)
    assert make_plan(STAGED, NEW, live(gone, status, config=None, champion=None)).action == "recreate"


@ALL
def test_a_mix_is_made_whole_by_one_update_and_its_half_done_counts_are_not_kept(
    its_spec: DeploymentSpec,
) -> None:
    mixed, want = final_config(its_spec, OLD), wanted(its_spec, NEW)
    half = {} if its_spec is SERVERLESS else {mixed.variants[0]["VariantName"]: 1}
    plan = make_plan(its_spec, NEW, live(mixed, "UpdateRollbackFailed", counts=half))
    assert plan.action == "direct"
    assert _slots(plan) == {"models", "config", "change"}
    assert plan.change == EndpointChange(
        operation="update", config=want.config, variants=_targets(its_spec), retain=None
    )
    assert plan.roll_back_to == RollBackTo(config=mixed.name, variants=_targets(its_spec, OLD))


def test_a_mix_leads_back_to_the_last_good_before_its_own_configuration() -> None:
    mixed, good = final_config(STAGED, OLD), final_config(STAGED, candidate("c"))
    plan = make_plan(STAGED, NEW, live(mixed, "UpdateRollbackFailed", last_good=good))
    assert plan.roll_back_to
    assert plan.roll_back_to.config == good.name


def test_a_mix_on_the_wanted_configuration_is_updated_to_it_and_leads_elsewhere_or_nowhere() -> None:
    mixed, good = final_config(STAGED, NEW), final_config(STAGED, OLD)
    plan = make_plan(STAGED, NEW, live(mixed, "UpdateRollbackFailed", last_good=mixed))
    assert plan.change
    assert plan.change.config == mixed.name
    assert plan.roll_back_to is None
    back = make_plan(STAGED, NEW, live(mixed, "UpdateRollbackFailed", last_good=good)).roll_back_to
    assert back == RollBackTo(config=good.name, variants=_targets(its_candidate=OLD))


def test_the_same_input_gives_the_same_plan() -> None:
    seen = live(final_config(STAGED, OLD), counts={_targets(its_candidate=OLD)[0].name: 5})
    assert make_plan(STAGED, NEW, seen) == make_plan(STAGED, NEW, seen)


def test_plan_only_plans_the_same_and_executes_nothing() -> None:
    seen = live(final_config(STAGED, OLD))
    plan = make_plan(STAGED, NEW, seen, plan_only=True)
    assert not plan.executes
    assert plan.model_copy(update={"plan_only": False}) == make_plan(STAGED, NEW, seen)


@pytest.mark.parametrize("strategy", ["staged", "direct"])
def test_no_value_of_an_environment_is_ever_in_a_plan(strategy: str) -> None:
    its_spec = spec(
        variant(environment={"OWN": "canary-variant"}),
        model={"environment": {"TOKEN": "canary-model"}},
        strategy=strategy,
    )
    champion = final_config(its_spec, OLD)
    states = [
        Observed(),
        live(champion),
        live(final_config(its_spec, NEW)),
        live(champion, "Failed", last_good=final_config(its_spec, candidate("c"))),
        live(champion, "UpdateRollbackFailed"),
        live(foreign_config()),
    ]
    for seen in states:
        assert "canary-" not in make_plan(its_spec, NEW, seen).model_dump_json()


def test_a_plan_survives_its_way_through_json() -> None:
    plan = make_plan(STAGED, NEW, live(final_config(STAGED, OLD)))
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
