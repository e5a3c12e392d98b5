"""What the page of all deployments says of each, and in which order."""

from pathlib import Path
from typing import Any

import pytest

from endpoint_deploy.core.findings import Finding, Findings
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.observed import ObservedEndpoint, ObservedVariant
from endpoint_deploy.core.overview import EndpointRow, Order, endpoint_row, shown
from endpoint_deploy.core.plan import RollBackTo, VariantTarget
from endpoint_deploy.core.redact import without_secrets
from tests.aws.test_latest import release
from tests.core.builders import spec


def deployment(name: str = "churn", **changes: Any) -> Deployment:
    return Deployment(spec(name=name, **changes), Path("/specs/churn.yaml"))


LIVE = RollBackTo(config="churn-1", variants=(VariantTarget(name="primary", count=2, weight=1.0),))
FIRST = release("churn", 1, sequence=1, live=LIVE)


def seen(config: str = "churn-1", status: str = "InService", **changes: Any) -> ObservedEndpoint:
    variants = {"primary": 3.0, "candidate": 1.0}
    return ObservedEndpoint(
        **{
            "name": "churn-test",
            "status": status,
            "config": config,
            "pending_config": None,
            "variants": tuple(
                ObservedVariant(
                    name=name, desired_count=2, current_count=1, desired_weight=weight, current_weight=weight
                )
                for name, weight in variants.items()
            ),
            **changes,
        }
    )


def test_what_is_not_described_is_the_ledger_s_word() -> None:
    row = endpoint_row(deployment(), "InService", [FIRST])
    assert (row.state, row.described, row.config) == ("InService", False, "churn-1")
    assert [(each.name, each.share, each.count) for each in row.variants] == [("primary", 1.0, 2)]
    assert row.live is not None
    assert row.attention == ()


def test_what_is_described_is_the_service_s_word() -> None:
    row = endpoint_row(deployment(), "Updating", [FIRST], seen("by-hand"), described=True)
    assert (row.state, row.config) == ("InService", "by-hand")
    assert [(each.share, each.count, each.desired_count) for each in row.variants] == [
        (0.75, 1, 2),
        (0.25, 1, 2),
    ]
    assert row.attention == (
        "Drift: found configuration by-hand, expected configuration churn-1 by record 1.",
    )


def test_a_change_under_way_is_no_drift() -> None:
    row = endpoint_row(deployment(), "InService", [FIRST], seen("joint"), described=True, changing=True)
    assert row.attention == ()
    assert row.live is not None
    assert row.live.sequence == 1, "what the release goes out from"


def test_an_endpoint_that_is_gone_has_nothing_live() -> None:
    row = endpoint_row(deployment(), "none", [FIRST], None, described=True)
    assert (row.state, row.live, row.variants) == ("none", None, ())
    assert "found no endpoint" in row.attention[0]


def test_what_needs_a_look_is_said() -> None:
    rolled_back = release("churn", 2, sequence=2, outcome="rolled_back", config_after="churn-1")
    failed = seen(status="UpdateRollbackFailed", failure_reason="out of capacity")
    row = endpoint_row(deployment(), "Updating", [rolled_back, FIRST], failed, described=True)
    assert row.attention[:2] == ("The endpoint is UpdateRollbackFailed.", "out of capacity")
    assert row.attention[-1] == "The last deploy, #2, ended rolled back."


def rows() -> list[EndpointRow]:
    refused = release("bees", 9, sequence=1, outcome="refused", action=None)
    return [
        endpoint_row(deployment("cats"), "InService", [release("cats", 5, sequence=1)]),
        endpoint_row(deployment("ants"), "InService", [release("ants", 7, sequence=1)]),
        endpoint_row(deployment("dogs"), "Updating", []),
        endpoint_row(deployment("bees"), "InService", [refused]),
    ]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("attention", ["bees", "dogs", "ants", "cats"]),
        ("name", ["ants", "bees", "cats", "dogs"]),
        ("state", ["ants", "bees", "cats", "dogs"]),
        ("finished", ["bees", "ants", "cats", "dogs"]),
    ],
)
def test_order(order: Order, names: list[str]) -> None:
    assert [row.name for row in shown(rows(), order=order)] == names


@pytest.mark.parametrize(
    ("search", "state", "names"),
    [
        ("CATS", "", ["cats"]),
        ("prod dogs", "Updating", ["dogs"]),
        ("dogs", "InService", []),
        ("", "attention", ["bees"]),
        ("birds", "", []),
    ],
)
def test_filter(search: str, state: str, names: list[str]) -> None:
    assert [row.name for row in shown(rows(), search=search, state=state)] == names


def test_values_of_environments_do_not_leave() -> None:
    secret = spec(
        model={"environment": {"TOKEN": "s3cr3t-token", "SHORT": "true", "LONGER": "s3cr3t-token-2"}}
    )
    said = {"why": ["true: the token is s3cr3t-token-2", 7], "s3cr3t-token": "a key stays"}
    assert without_secrets(secret, said) == {
        "why": ["true: the token is ***", 7],
        "s3cr3t-token": "a key stays",
    }


def test_what_the_sentinel_has_found_is_said_once_and_with_its_time() -> None:
    found = Findings(
        checked_at="2026-01-02T00:00:00+00:00",
        open=(
            Finding(
                kind="image", subject="i", message="the image is gone", since="2026-01-01T00:00:00+00:00"
            ),
            Finding(kind="configuration", subject="by-hand", message="found by-hand", since="2026-01-01"),
        ),
    )
    row = endpoint_row(deployment(), "InService", [FIRST], seen("by-hand"), described=True, findings=found)
    assert [(each.kind, each.message) for each in row.findings] == [
        ("image", "the image is gone"),
        ("configuration", "found by-hand"),
    ]
    assert row.checked_at == found.checked_at
    assert row.attention == (), "the same drift again, in other words"
    assert shown([row], state="attention") == [row]
    others = found.model_copy(update={"open": found.open[:1]})
    row = endpoint_row(deployment(), "InService", [FIRST], seen("by-hand"), described=True, findings=others)
    assert [each.partition(":")[0] for each in row.attention] == ["Drift"]
