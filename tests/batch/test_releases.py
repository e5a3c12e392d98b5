"""Whose model predicts: the live release, an earlier one, a variant; and what is said where it is gone."""

from tests.batch.rig import BatchRig, json_sums, sums, table
from tests.deploy.rig import AS_IN_PRODUCTION

pytestmark = AS_IN_PRODUCTION
ROWS = {"a.csv": table(1, 2, 3)}


def test_a_release_that_cannot_predict_is_told_with_its_reason(rig: BatchRig) -> None:
    rig.put(ROWS)
    unknown = rig.transform(release=9)
    assert (unknown.state, unknown.outcome) == ("failed", "failed"), unknown
    assert f"the ledger of {rig.endpoint} has no release 9" in unknown.result["reason"]

    second = rig.deploy("rows", bias=2)
    assert second.outcome == "released", second
    run = rig.transform()
    assert run.outcome == "delivered", run
    assert json_sums(rig.delivered(run)["a.csv"]) == sums(ROWS["a.csv"], 2)

    refused = rig.run("deploy", artifact=rig.upload(b"no archive", "broken"))
    assert refused.outcome == "refused", refused
    number = len(rig.ledger())
    unproved = rig.transform(release=number)
    assert f"release {number} ended refused, expected one that ended released" in unproved.result["reason"]

    # The first release's model is deleted by hand, then the configuration.
    first = rig.ledger()[0]
    config = rig.sagemaker.describe_endpoint_config(EndpointConfigName=first["config_after"])
    model = config["ProductionVariants"][0]["ModelName"]
    rig.sagemaker.delete_model(ModelName=model)
    gone = rig.transform(release=1)
    assert gone.outcome == "failed", gone
    assert f"the model {model} of its variant primary is gone" in gone.result["reason"]
    rig.sagemaker.delete_endpoint_config(EndpointConfigName=first["config_after"])
    gone = rig.transform(release=1)
    assert f"its endpoint configuration {first['config_after']} is gone" in gone.result["reason"]
