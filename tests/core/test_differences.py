from endpoint_deploy.core import requests
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.differences import differences
from endpoint_deploy.core.observed import ObservedConfig
from endpoint_deploy.core.plan import Difference
from endpoint_deploy.core.spec import DeploymentSpec
from tests.core.builders import candidate, final_config, foreign_config, serverless, spec, variant

OLD, NEW = candidate("a"), candidate("b")


def _lines(
    before: ObservedConfig | None, after: DeploymentSpec, its_candidate: Candidate = NEW
) -> tuple[Difference, ...]:
    body = requests.final_config_body(after, requests.desired(after, its_candidate))
    return differences(before, body, its_candidate)


def test_what_is_the_same_is_not_a_difference() -> None:
    assert _lines(final_config(spec(), NEW), spec()) == ()


def test_a_weight_of_the_services_precision_is_not_a_difference() -> None:
    its_spec = spec(variant("big", weight=0.7), variant("small", weight=0.3))
    live = final_config(its_spec, NEW)
    rounded = tuple({**v, "InitialVariantWeight": {0.7: 0.699999988079071, 0.3: 0.30000001192092896}[
        v["InitialVariantWeight"]]} for v in live.variants)  # fmt: skip
    assert _lines(live.model_copy(update={"variants": rounded}), its_spec) == ()


def test_another_artifact_is_another_checksum_and_model_under_the_declared_name() -> None:
    lines = _lines(final_config(spec(), OLD), spec())
    assert [line.path for line in lines] == ["artifact sha256", "variant primary ModelName"]
    assert lines[0] == Difference(path="artifact sha256", before=OLD.sha256, after=NEW.sha256)


def test_staged_and_direct_are_compared_by_the_declared_name() -> None:
    assert _lines(final_config(spec(strategy="direct"), NEW), spec()) == ()


def test_every_changed_member_is_a_line() -> None:
    after = spec(
        variant(count=3, weight=2.5, instance_type="ml.c5.large", volume_gb=30),
        endpoint={"data_capture": {"destination": "s3://models/capture"}},
    )
    found = {line.path: (line.before, line.after) for line in _lines(final_config(spec(), NEW), after)}
    assert found.pop("data capture")[0] is None
    assert found == {
        "variant primary InitialInstanceCount": ("1", "3"),
        "variant primary InitialVariantWeight": ("1", "2.5"),
        "variant primary InstanceType": ("ml.m5.large", "ml.c5.large"),
        "variant primary VolumeSizeInGB": (None, "30"),
    }


def test_where_nothing_is_live_everything_is_new() -> None:
    lines = _lines(None, spec(serverless(), strategy="direct"))
    assert {line.before for line in lines} == {None}
    shown = {line.path: line.after for line in lines}
    assert shown["variant primary ServerlessConfig"] == '{"MaxConcurrency": 5, "MemorySizeInMB": 2048}'


def test_a_foreign_variant_goes_and_the_own_one_comes() -> None:
    lines = {line.path: line for line in _lines(foreign_config(), spec())}
    assert lines["variant AllTraffic ModelName"].after is None
    assert lines["variant primary ModelName"].before is None
    assert lines["artifact sha256"].before is None


def test_another_key_is_a_line() -> None:
    keyed = spec(endpoint={"kms_key_id": "alias/models"})
    (line,) = _lines(final_config(spec(), NEW), keyed)
    assert line == Difference(path="KMS key", before=None, after="alias/models")
    assert _lines(final_config(keyed, NEW), keyed) == ()
