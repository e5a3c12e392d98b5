"""What the sentinel keeps of what it finds: once from when it is first seen until it is gone."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from endpoint_deploy.core.findings import KINDS, Drift, Findings

KINDS_IN_ORDER = sorted(KINDS)
DRIFTS = st.lists(
    st.builds(
        Drift,
        kind=st.sampled_from(KINDS_IN_ORDER[:3]),
        subject=st.sampled_from(["a", "b"]),
        message=st.sampled_from(["1 of 2", "2 of 2"]),
    ),
    max_size=5,
    unique_by=lambda drift: drift.identity,
)


@given(st.lists(st.tuples(DRIFTS, st.sets(st.sampled_from(KINDS_IN_ORDER[:3]), min_size=1)), max_size=12))
def test_each_drift_is_told_once_until_it_is_gone(looks: Sequence[tuple[list[Drift], set[str]]]) -> None:
    findings, expected = Findings(), dict[tuple[str, str], str]()
    for number, (there, looked) in enumerate(looks):
        found = [drift for drift in there if drift.kind in looked]
        findings = findings.after(found, looked, str(number))  # type: ignore[arg-type]
        fresh = {drift.identity for drift in found} - expected.keys()
        assert {finding.identity for finding in findings.untold} == fresh
        findings = findings.with_told(fresh)
        gone = {key for key in expected if key[0] in looked} - {drift.identity for drift in found}
        for key in gone:
            assert (*key, str(number)) in {(f.kind, f.subject, f.closed) for f in findings.closed}
        expected = {key: at for key, at in expected.items() if key not in gone}
        expected |= dict.fromkeys(fresh, str(number))
        assert {finding.identity: finding.since for finding in findings.open} == expected


def test_what_could_not_be_looked_at_stays_as_it_was() -> None:
    drift = Drift(kind="role", subject="r", message="gone")
    known = Findings().after([drift], {"role"}, "1").with_told({drift.identity})
    assert known.after([], {"image"}, "2").open == known.open
    assert known.after([], {"role"}, "2").open == ()
