"""Measures of drift and association: what holds of all data, and what known data give."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score

from endpoint_deploy.quality import drift
from endpoint_deploy.quality.association import association
from endpoint_deploy.quality.comparison import NUMBERS, TEXTS, comparison_frame, parameters
from endpoint_deploy.quality.profile import DataProfile, category_counts, partition, profile_data

COUNTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=12)
FINITE = st.floats(-1e9, 1e9)
CELLS = {
    "number": st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-5, 5)),
    "text": st.one_of(st.none(), st.text(max_size=3)),
    "flag": st.booleans(),
    "target": st.integers(0, 3),
}
FRAMES = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=40).map(
    lambda rows: pd.DataFrame(rows, columns=list(CELLS))
)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=1, max_size=12))
def test_psi_is_a_distance(pairs):
    new, old = [a for a, _ in pairs], [b for _, b in pairs]
    psi = drift.population_stability_index(new, old)
    if not sum(new) or not sum(old):
        assert psi is None
        return
    assert psi is not None
    assert 0 <= psi < np.inf
    assert psi == pytest.approx(drift.population_stability_index(old, new))
    assert drift.population_stability_index(new, new) == 0


@given(COUNTS, st.integers(0, 5))
def test_psi_sees_no_cells_that_neither_has(counts, more):
    other = [count + 1 for count in counts]
    padded = drift.population_stability_index([*counts, *[0] * more], [*other, *[0] * more])
    assert padded == drift.population_stability_index(counts, other)


def test_psi_of_known_shares():
    # ln(2) / 4: half of it from each of (0.5 - 0.25) ln 2 and (0.5 - 0.75) ln (2 / 3), in large counts.
    psi = drift.population_stability_index([500_000, 500_000], [250_000, 750_000])
    assert psi == pytest.approx(0.25 * np.log(2) - 0.25 * np.log(2 / 3), rel=1e-4)


@given(st.lists(FINITE, min_size=1, max_size=60), st.lists(FINITE, min_size=1, max_size=11, unique=True))
def test_each_value_is_in_one_cell(values, edges):
    counted = drift.cells(np.asarray(values), sorted(edges))
    assert counted.sum() == len(values)
    assert len(counted) == len(edges) + (1 if len(edges) > 1 else 2)


@settings(max_examples=25)
@given(FRAMES, FRAMES)
def test_any_two_sets_can_be_compared(new, old):
    profile, reference = (
        profile_data(frame, digest="d", target="target", classes=True) for frame in (new, old)
    )
    assert DataProfile.model_validate_json(reference.model_dump_json()) == reference
    table = comparison_frame(new, profile, reference).set_index("column")
    assert list(table.index) == list(CELLS)
    assert table["presence"].eq("both").all()
    fractions = ["null_fraction", "unseen_fraction", "ks_p_value", "chi2_p_value", "target_association"]
    for name in [*fractions, "ks_statistic", "smallest_class_share"]:
        assert table[name].dropna().between(0, 1.0000001).all(), name
    assert table["psi"].dropna().ge(0).all()
    for name, value in parameters(profile, reference).items():
        if name.startswith("reference_partition"):
            assert sum(value["weights"]) == pytest.approx(1)


@settings(max_examples=25)
@given(FRAMES)
def test_a_set_does_not_differ_from_itself(frame):
    profile = profile_data(frame, digest="d", target="target", classes=True)
    table = comparison_frame(frame, profile, profile)
    assert table["psi"].dropna().eq(0).all()
    assert table["unseen_fraction"].dropna().eq(0).all()
    for name in ("null_increase", "duplicate_increase", "association_increase"):
        assert table[name].dropna().eq(0).all()
    assert table["rows_ratio"].eq(1).all()
    assert table["ks_p_value"].dropna().gt(0.99).all()


@given(st.lists(st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["a", "b"])), min_size=1))
def test_categories_are_counted_once(values):
    counted = category_counts(pd.Series(values, dtype=object))
    assert sum(counted.values()) == sum(value is not None for value in values)


def test_a_class_by_any_number():
    assert category_counts(pd.Series([1.0, 2.0, 1.0])) == category_counts(pd.Series([1, 2, 1]))


def test_the_profile_is_small_whatever_the_data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=50_000), "id": [f"u{n}" for n in range(50_000)], "target": 1})
    profile = profile_data(frame, digest="d", target="target", classes=True)
    x, identifier, _ = profile.columns
    assert (len(x.sketch), len(x.edges), sum(x.counts)) == (501, 11, 50_000)
    assert (len(identifier.categories), identifier.distinct) == (100, 50_000)
    assert partition(x)["weights"] == pytest.approx([0.1] * 10, abs=0.001)


def test_association_is_what_others_measure():
    rng = np.random.default_rng(1)
    x = pd.Series(rng.normal(size=800))
    binary = (x + rng.normal(size=800) > 0).astype(int)
    assert association(x, binary, classes=True) == pytest.approx(2 * roc_auc_score(binary, x) - 1)
    text = pd.Series(rng.choice(list("abc"), 800))
    classes = (text == "a").astype(int) + pd.Series(rng.integers(0, 2, 800))
    measured = normalized_mutual_info_score(text, classes)
    assert association(text, classes, classes=True) == pytest.approx(measured)
    assert association(x, pd.Series(np.exp(x)), classes=False) == pytest.approx(1)


def test_association_is_not_flattered():
    rng = np.random.default_rng(2)
    target = pd.Series(rng.normal(size=500))
    identifier = pd.Series([f"u{n}" for n in range(500)])
    assert association(identifier, target, classes=False) == 0
    assert association(identifier, target > 0, classes=True) < 0.3
    assert association(pd.Series([1] * 500), target > 0, classes=True) is None


def test_missing_values_can_tell_the_target():
    target = pd.Series([0, 1] * 50)
    feature = pd.Series([None, 3.0] * 50)
    assert association(feature, target, classes=True) == 1


def test_columns_of_either_set_have_a_row():
    new = pd.DataFrame({"a": [1, 2], "c": ["x", "y"], "target": [0, 1]})
    old = pd.DataFrame({"a": ["1", "2"], "b": [1, 2], "target": [0, 1]})
    profile, reference = (profile_data(f, digest="d", target="target", classes=True) for f in (new, old))
    table = comparison_frame(new, profile, reference)
    assert list(table.columns) == [*TEXTS, *NUMBERS]
    assert list(zip(table["column"], table["presence"], strict=True)) == [
        ("a", "both"),
        ("c", "new"),
        ("target", "both"),
        ("b", "missing"),
    ]
    first = table.iloc[0]
    assert (first["kind"], first["reference_kind"]) == ("numeric", "categorical")
    assert np.isnan(first["psi"])


def test_parameters_are_named_as_great_expectations_can_read_them():
    frame = pd.DataFrame({"mean radius": [1.0, 3.0], "mean-radius": [9.0, 9.0], "target": [0, 1]})
    reference = profile_data(frame, digest="d", target="target", classes=True)
    given_ = parameters(reference, reference)
    assert given_["reference_mean_mean_radius"] == 2
    assert given_["reference_partition_target"] == {"values": ["0", "1"], "weights": [0.5, 0.5]}
    assert parameters(reference, None) == {"rows": 2}
