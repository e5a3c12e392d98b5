"""Shadow variants as the control plane sees them: rules, records, weights, their life with the endpoint."""

import pytest

UNSUPPORTED = "One or more endpoint features are not supported using this configuration"


@pytest.fixture
def shadowed(world):
    """A configuration with a production variant and a shadow variant of half its weight."""
    return world.config(
        world.variant(world.model(RELEASE="1")),
        ShadowProductionVariants=[world.variant(world.model(RELEASE="2"), "shadow", weight=0.5)],
    )


def shown(description, member="ShadowProductionVariants"):
    return {
        variant["VariantName"]: (
            variant["CurrentWeight"],
            variant["DesiredWeight"],
            variant["CurrentInstanceCount"],
            variant["DesiredInstanceCount"],
        )
        for variant in description[member]
    }


def test_a_shadow_variant_lives_with_its_endpoint(world, shadowed, wait_until, no_longer_running):
    (declared,) = world.sagemaker.describe_endpoint_config(EndpointConfigName=shadowed)[
        "ShadowProductionVariants"
    ]
    assert declared["VariantName"] == "shadow"
    name = world.endpoint(shadowed)
    found = world.describe(name)
    assert shown(found) == {"shadow": (0.5, 0.5, 1, 1)}
    assert shown(found, "ProductionVariants") == {"main": (1, 1, 1, 1)}
    # The shadow runs, and answers nobody.
    pids = world.server.replica_pids(name)
    assert len(pids) == 2
    assert {world.answer(name)["release"] for _ in range(10)} == {"1"}
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "shadow", "DesiredWeight": 0.1, "DesiredInstanceCount": 2}
        ],
    )
    assert shown(world.settled(name)) == {"shadow": (pytest.approx(0.1), pytest.approx(0.1), 2, 2)}
    # What was set is retained; then an update without it ends the shadow.
    world.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=shadowed, RetainAllVariantProperties=True
    )
    assert shown(world.settled(name)) == {"shadow": (pytest.approx(0.1), pytest.approx(0.1), 2, 2)}
    pids = world.server.replica_pids(name)
    world.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=world.release())
    assert "ShadowProductionVariants" not in world.settled(name)
    wait_until(lambda: no_longer_running(pids), "the old fleet and its shadow are gone")


def test_a_shadow_that_does_not_come_up_fails_the_creation(world):
    config = world.config(
        world.variant(world.model()),
        ShadowProductionVariants=[world.variant(world.model("cannot_load"), "shadow")],
    )
    settled = world.settled(world.begin(config))
    assert settled["EndpointStatus"] == "Failed"
    assert "production variant shadow" in settled["FailureReason"]


def test_only_one_of_each_is_allowed(world, refusal):
    model = world.model()
    one, two, three = (world.variant(model, name) for name in ("one", "two", "three"))
    for variants, shadows in (([one, two], [three]), ([one], [two, three])):
        code, message = refusal(world.config, *variants, ShadowProductionVariants=shadows)
        assert code == "ValidationException"
        assert "only one variant" in message
    code, message = refusal(world.config, one, ShadowProductionVariants=[one])
    assert (code, "must be unique" in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    "members",
    [
        {"InstanceType": "ml.inf1.xlarge", "InitialInstanceCount": 1},
        {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
    ],
)
def test_12_shadows_exclude_what_the_guide_excludes(world, refusal, members):
    model = world.model()
    variant = {"VariantName": "main", "ModelName": model, **members}
    shadow = world.variant(model, "shadow")
    code, message = refusal(world.config, variant, ShadowProductionVariants=[shadow])
    assert (code, message.startswith(UNSUPPORTED)) == ("ValidationException", True)
