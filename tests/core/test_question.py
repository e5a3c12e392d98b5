"""What a person reads before deciding."""

from typing import Any

from endpoint_deploy.core.observed import Observed
from endpoint_deploy.core.planner import make_plan
from endpoint_deploy.core.question import Facts, body, instances_of, subject
from endpoint_deploy.core.record import RunRef
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.core.retrain import GatedMetrics, MetricResult
from tests.core.builders import candidate, final_config, live, serverless, spec, variant

NEW = candidate("b")


def facts(**changes: Any) -> Facts:
    return Facts(candidate=NEW, timeout_seconds=7200, **changes)


def released(config: str) -> Release:
    return Release(
        sequence=12,
        kind="deploy",
        deployment="churn__prod",
        endpoint="churn-prod",
        outcome="released",
        artifact="s3://models/churn/old.tar.gz",
        artifact_sha256="a" * 64,
        image="churn:0",
        config_after=config,
        run=RunRef(dag_id="deploy__churn__prod", run_id="r", run_type="manual"),
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:01:00+00:00",
        seconds=60,
    )


def test_what_is_live_stands_beside_what_takes_its_place() -> None:
    before, after = spec(variant(count=2)), spec(variant(count=2, instance_type="ml.c5.large"))
    champion = final_config(before, candidate("a"))
    plan = make_plan(after, NEW, live(champion))
    assert plan.config
    text = body(plan, facts(live=released(champion.name), instances=instances_of(champion.variants)))
    assert subject(plan).startswith("Release to churn-prod: add ")
    meanwhile = "2 x ml.c5.large, 2 x ml.m5.large"
    for row in (
        "|  | now | then |",
        "| release | number 12 | this one |",
        f"| configuration | {champion.name} | {plan.config.name} |",
        "| artifact | s3://models/churn/old.tar.gz | s3://models/churn/model.tar.gz |",
        f"| SHA-256 | {'a' * 64} | {'b' * 64} |",
        f"| instances | 2 x ml.m5.large | {meanwhile} while both stand side by side, then 2 x ml.c5.large |",
    ):
        assert row in text.splitlines(), text
    assert f"```text\n{render_plan(plan)}```" in text
    assert "Without a decision within 2 hours the release is rejected." in text
    assert "### Warnings" not in text
    assert "### Metrics" not in text


def test_a_first_release_replaces_nothing() -> None:
    plan = make_plan(spec(serverless(), strategy="direct"), NEW, Observed())
    lines = body(plan, facts()).splitlines()
    assert "| release | none | this one |" in lines
    assert "| instances | none | none |" in lines
    assert not any(line.startswith("| model package") for line in lines)


def test_the_metrics_stand_beside_the_champion_s_with_their_intervals() -> None:
    metrics = GatedMetrics(
        rows=455,
        confidence=0.95,
        metrics=(
            MetricResult(
                name="roc_auc",
                candidate=0.93,
                champion=0.91,
                gain=0.02,
                gain_low=-0.0051,
                gain_high=0.04,
                margin=0.01,
            ),
            MetricResult(name="recall", candidate=0.5),
        ),
    )
    plan = make_plan(spec(), NEW, Observed())
    lines = body(plan, facts(metrics=metrics)).splitlines()
    assert "On 455 held-out rows, the same ones for both; gains with their 95% interval." in lines
    assert "| roc\\_auc | 0.91 | 0.93 | +0.02 | -0.0051 to +0.04 | 0.01 |" in lines
    assert "| recall | none | 0.5 | none | none | none |" in lines


def test_warnings_come_first_and_reports_are_linked() -> None:
    plan = make_plan(spec(), NEW, Observed()).model_copy(update={"warnings": ("alarm a|b is <gone>",)})
    text = body(plan, facts(links={"Data Docs": "http://127.0.0.1:1/b/summary.html"}))
    assert text.index("### Warnings") < text.index("### What changes") < text.index("### Reports")
    assert "- alarm a\\|b is &lt;gone>" in text
    assert "- [Data Docs](http://127.0.0.1:1/b/summary.html)" in text


def test_the_same_facts_give_the_same_text() -> None:
    plan = make_plan(spec(), NEW, Observed())
    assert body(plan, facts()) == body(plan, facts())
