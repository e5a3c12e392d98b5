"""What a person is asked before a release, as Markdown: what changes, how good it is, what it costs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field

from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.plan import Plan, PlannedConfig
from endpoint_deploy.core.release import Release
from endpoint_deploy.core.render import render_plan
from endpoint_deploy.core.retrain import GatedMetrics, MetricResult
from endpoint_deploy.core.strict import Strict

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Facts(Strict):
    """What is known beside the plan. `live`: the release that serves now. `links`: title to address.

    `instances`: those that serve now, as `instances_of` counts them.
    """

    candidate: Candidate
    model_package: str | None = None
    live: Release | None = None
    instances: dict[str, int] = Field(default={})
    metrics: GatedMetrics | None = None
    links: dict[str, str] = Field(default={})
    timeout_seconds: int


def subject(plan: Plan) -> str:
    """The question's headline."""
    return f"Release to {plan.endpoint}: {plan.summary}"


def body(plan: Plan, facts: Facts) -> str:
    """The question in Markdown. The same plan and facts give the same text: no clock is read."""
    sections = {
        "Warnings": [f"- {_text(warning)}" for warning in plan.warnings],
        "What changes": list(_changes(plan, facts)),
        "Metrics": list(_metrics(facts)),
        "Reports": [f"- [{title}]({address})" for title, address in facts.links.items()],
        "Plan": ["```text", *render_plan(plan).splitlines(), "```"],
    }
    lines = [_text(plan.summary), ""]
    for title, content in sections.items():
        if content:
            lines += [f"### {title}", "", *content, ""]
    lines.append(
        f"Without a decision within {_duration(facts.timeout_seconds)} the release is rejected. The endpoint "
        "is not locked meanwhile: where it is changed before a decision, this plan is not carried out."
    )
    return "\n".join(lines) + "\n"


def instances_of(variants: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """Instances by type, from the variants of an endpoint configuration; serverless ones have none."""
    counted: Counter[str] = Counter()
    for variant in variants:
        if "InstanceType" in variant:
            counted[str(variant["InstanceType"])] += int(str(variant.get("InitialInstanceCount", 0)))
    return dict(counted)


def _changes(plan: Plan, facts: Facts) -> Iterator[str]:
    live, candidate = facts.live, facts.candidate
    final = plan.config.name if plan.config else plan.expects.config
    rows = {
        "release": (f"number {live.sequence}" if live else None, "this one"),
        "model package": (live.model_package if live else None, facts.model_package),
        "configuration": (plan.expects.config, final),
        "artifact": (live.artifact if live else None, candidate.artifact),
        "SHA-256": (live.artifact_sha256 if live else None, candidate.sha256),
        "image": (live.image if live else None, candidate.image),
        "instances": (_counts(facts.instances), _instances(plan, facts)),
    }
    known = ((key, *pair) for key, pair in rows.items() if any(pair))
    yield from _table(("", "now", "then"), ((key, now or "none", to or "none") for key, now, to in known))


def _instances(plan: Plan, facts: Facts) -> str:
    after = _of(plan.config, facts.instances)
    if plan.joint is None:
        return _counts(after)
    return f"{_counts(_of(plan.joint, {}))} while both stand side by side, then {_counts(after)}"


def _of(config: PlannedConfig | None, otherwise: dict[str, int]) -> dict[str, int]:
    return instances_of(config.body["ProductionVariants"]) if config else otherwise


def _counts(instances: Mapping[str, int]) -> str:
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(instances.items())) or "none"


def _metrics(facts: Facts) -> Iterator[str]:
    found = facts.metrics
    if found is None:
        return
    share = f"{found.confidence:.0%}"
    yield f"On {found.rows} held-out rows, the same ones for both; gains with their {share} interval."
    yield ""
    header = ("metric", "champion", "candidate", "gain", "interval", "may lose")
    yield from _table(header, (_metric(metric) for metric in found.metrics))


def _metric(metric: MetricResult) -> tuple[str, ...]:
    low, high = metric.gain_low, metric.gain_high
    return (
        metric.name,
        _number(metric.champion),
        _number(metric.candidate),
        _number(metric.gain, sign="+"),
        f"{low:+.4g} to {high:+.4g}" if low is not None and high is not None else "none",
        _number(metric.margin),
    )


def _number(value: float | None, sign: str = "") -> str:
    return "none" if value is None else f"{value:{sign}.4g}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_text, row))} |"


def _text(said: str) -> str:
    """One line, as it is: an address or a message must neither be read as Markdown nor as HTML."""
    flat = " ".join(said.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "\\`*_[]|" else character for character in flat)


def _duration(seconds: int) -> str:
    size, unit = next(each for each in _UNITS if seconds % each[0] == 0)
    count = seconds // size
    return f"{count} {unit}{'s' if count != 1 else ''}"
