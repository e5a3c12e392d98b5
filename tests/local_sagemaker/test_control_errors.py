"""What the control plane refuses beyond what the conformance suite asks of any SageMaker."""


def test_21_a_variant_named_twice_or_unknown(world, refusal):
    name = world.endpoint()
    for variants in (["main", "main"], ["main", "other"]):
        code, message = refusal(
            world.sagemaker.update_endpoint_weights_and_capacities,
            EndpointName=name,
            DesiredWeightsAndCapacities=[
                {"VariantName": variant, "DesiredWeight": 2} for variant in variants
            ],
        )
        assert code == "ValidationException"
        assert variants[1] in message
    settled = world.settled(name)
    assert settled["ProductionVariants"][0]["DesiredWeight"] == 1


def test_variant_names_are_unique_within_a_configuration(world, refusal):
    model = world.model()
    code, message = refusal(world.config, world.variant(model), world.variant(model))
    assert (code, "main" in message) == ("ValidationException", True)


def test_a_variant_has_instances_or_is_serverless(world, refusal):
    model = world.model()
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    for variant in (
        {"VariantName": "main", "ModelName": model},
        {**world.variant(model), "ServerlessConfig": serverless},
    ):
        code, _ = refusal(world.config, variant)
        assert code == "ValidationException"


def test_what_is_not_served_is_refused_rather_than_ignored(world, refusal):
    scaling = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 2}
    variant = {**world.variant(world.model()), "ManagedInstanceScaling": scaling}
    code, message = refusal(world.config, variant)
    assert code == "ValidationException"
    assert message.startswith("One or more endpoint features are not supported using this configuration")
    assert "ManagedInstanceScaling" in message


def test_a_request_signed_for_another_region_is_refused(server, refusal):
    code, message = refusal(server.client("sagemaker", "us-east-1").list_endpoints)
    assert code == "InvalidSignatureException"
    assert "us-east-1" in message
