from endpoint_deploy.core import tags
from endpoint_deploy.core.observed import config_view, endpoint_view, same_weights


def test_an_endpoint_that_was_never_up_has_no_variants_and_perhaps_no_reason() -> None:
    answer = {"EndpointName": "e", "EndpointStatus": "Failed", "EndpointConfigName": "c"}
    seen = endpoint_view(answer)
    assert seen.variants == ()
    assert seen.failure_reason is None
    assert endpoint_view({**answer, "FailureReason": ""}).failure_reason is None
    assert endpoint_view({**answer, "FailureReason": "no ping"}).failure_reason == "no ping"


def test_a_change_in_progress_names_where_it_leads() -> None:
    answer = {
        "EndpointName": "e",
        "EndpointStatus": "Updating",
        "EndpointConfigName": "old",
        "PendingDeploymentSummary": {"EndpointConfigName": "new"},
    }
    seen = endpoint_view(answer)
    assert (seen.config, seen.pending_config, seen.in_progress) == ("old", "new", True)


def test_only_a_joint_configuration_leads_from_a_champion_to_a_final_one() -> None:
    answer = {"EndpointConfigName": "c", "ProductionVariants": []}
    both = {tags.FINAL_CONFIG: "after", tags.CHAMPION_CONFIG: "before"}
    joint = config_view(answer, {**both, tags.STAGE: "joint"})
    final = config_view(answer, {**both, tags.STAGE: "final"})
    assert (joint.joint_champion, joint.joint_final) == ("before", "after")
    assert (final.joint_champion, final.joint_final) == (None, None)


def test_weights_are_the_same_to_the_precision_of_the_service_and_no_further() -> None:
    assert same_weights({"a": 0.30000001192092896, "b": 0.0}, {"a": 0.3, "b": 0.0})
    assert not same_weights({"a": 0.3001}, {"a": 0.3})
    assert not same_weights({"a": 1e-6}, {"a": 0.0})
    assert not same_weights({"a": 0.3}, {"a": 0.3, "b": 0.0})
