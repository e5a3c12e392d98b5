"""Production variants and their weights: A/B tests, and what UpdateEndpointWeightsAndCapacities refuses."""

import pytest

from tests.local_sagemaker.guarded import check_shares, rolling, size, tally, update


@pytest.fixture(scope="module")
def two(shared_world):
    """An endpoint of two variants, of release a and release b, with weights 3 and 1."""
    variants = [
        shared_world.variant(shared_world.model(RELEASE=name), name, weight=weight)
        for name, weight in (("a", 3), ("b", 1))
    ]
    name = shared_world.endpoint(shared_world.config(*variants))
    yield name
    shared_world.delete([name])


def weigh(world, name, *desired):
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[*desired]
    )
    return world.settled(name)


def test_requests_are_shared_by_weight(world, two):
    check_shares(lambda requests: tally(world, two, requests), {"a": 0.75, "b": 0.25})


def test_a_weight_of_0_gets_nothing_but_what_names_it(world, two):
    found = weigh(world, two, {"VariantName": "a", "DesiredWeight": 0})
    assert [variant["CurrentWeight"] for variant in found["ProductionVariants"]] == [0, 1]
    assert set(tally(world, two, 100)) == {"b"}
    assert world.answer(two, TargetVariant="a")["release"] == "a"
    weigh(world, two, {"VariantName": "a", "DesiredWeight": 3})


def test_several_variants_change_at_once_and_show_it(world, two, wait_until):
    world.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=two,
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredInstanceCount": 2},
            {"VariantName": "b", "DesiredWeight": 2},
        ],
    )
    updating = world.describe(two)
    assert updating["EndpointStatus"] == "Updating"
    a, b = updating["ProductionVariants"]
    assert a["VariantStatus"][0]["Status"] == "Updating"
    assert a["VariantStatus"][0]["StatusMessage"] == "Scaling out desired instance count to 2."
    assert (b["CurrentWeight"], b["DesiredWeight"]) == (1, 2)
    settled = world.settled(two)["ProductionVariants"]
    assert [(each["CurrentWeight"], each["CurrentInstanceCount"]) for each in settled] == [(3, 2), (2, 1)]
    assert not any("VariantStatus" in each for each in settled)


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        ({"DesiredInstanceCount": 0}, "must be at least 1"),
        ({"ServerlessUpdateConfig": {"MaxConcurrency": 2}}, "is not serverless"),
    ],
)
def test_what_does_not_fit_the_variant_is_refused(world, refusal, two, desired, message):
    code, said = refusal(weigh, world, two, {"VariantName": "a", **desired})
    assert (code, message in said) == ("ValidationException", True)
    assert world.describe(two)["EndpointStatus"] == "InService"


def test_serverless_concurrency_is_updated(world, refusal):
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 5, "ProvisionedConcurrency": 2}
    variant = {"VariantName": "main", "ModelName": world.model(), "ServerlessConfig": serverless}
    name = world.endpoint(world.config(variant))
    change = {"VariantName": "main", "ServerlessUpdateConfig": {"MaxConcurrency": 3}}
    (found,) = weigh(world, name, change)["ProductionVariants"]
    assert found["CurrentServerlessConfig"] == {**serverless, "MaxConcurrency": 3}
    for refused, message in (
        ({"ServerlessUpdateConfig": {"MaxConcurrency": 1}}, "at most its MaxConcurrency of 1"),
        ({"DesiredInstanceCount": 2}, "is serverless"),
    ):
        code, said = refusal(weigh, world, name, {"VariantName": "main", **refused})
        assert (code, message in said) == ("ValidationException", True)
    more = {**serverless, "ProvisionedConcurrency": 6}
    code, said = refusal(world.config, {**variant, "ServerlessConfig": more})
    assert (code, "at most its MaxConcurrency of 5" in said) == ("ValidationException", True)


def test_a_rolling_deployment_needs_a_batch_more_of_a_quota(start_server, make_world, refusal):
    quota = "ml.m5.large for endpoint usage"
    world = make_world(start_server(f"--quota={quota}=3"))
    old, new = (world.config(world.variant(world.model(), count=2)) for _ in range(2))
    name = world.endpoint(old)
    code, message = refusal(world.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=new)
    assert code == "ResourceLimitExceeded"
    assert "current utilization of 2 Instances and a request delta of 2 Instances" in message
    update(world, name, new, rolling(size(1)))
    assert world.settled(name)["EndpointConfigName"] == new
    world.server.end()
