import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from endpoint_deploy.core.image import FrameworkImage
from endpoint_deploy.core.load import Deployment, load_spec
from endpoint_deploy.core.problems import InvalidSpec, SpecProblem

SPEC = """\
name: churn
environment: prod
aws:
  region: eu-west-1
  role_arn: arn:aws:iam::123456789012:role/sagemaker-execution
  store: s3://ml-platform/endpoint-deploy
model:
  artifact: s3://ml-platform/models/churn/model.tar.gz
  image:
    framework: sklearn
    version: 1.2-1
endpoint:
  variants:
    - name: primary
      instance_type: ml.m5.large
      count: 2
smoke_tests:
  - name: one
    payload: payloads/one.json
"""


def problems(text: str) -> tuple[SpecProblem, ...]:
    with pytest.raises(InvalidSpec) as caught:
        load_spec(text, source="spec.yaml")
    return caught.value.problems


def test_a_good_spec() -> None:
    spec = load_spec(SPEC, source="spec.yaml")
    assert spec.key == "churn__prod"
    assert spec.model.image == FrameworkImage(framework="sklearn", version="1.2-1")
    assert spec.endpoint.variants[0].instances == 2
    assert spec.release.strategy == "staged"


def test_an_image_by_uri() -> None:
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
    image = "  image:\n    framework: sklearn\n    version: 1.2-1\n"
    assert load_spec(SPEC.replace(image, f"  image: {uri}\n"), source="spec.yaml").model.image == uri


def test_scalars_read_as_yaml_1_2() -> None:
    spec = load_spec(
        SPEC
        + """\
notifications:
  - sns_topic_arn: arn:aws:sns:eu-west-1:123456789012:releases
    on: [released]
rollback: {enabled: False}
tags: {answer: yes, time: 12:30, octal: 0o17, day: 2024-01-31, quoted: "4711", forced: !!str 4711}
schedule: "@daily"
""",
        source="spec.yaml",
    )
    assert spec.notifications[0].on == ("released",)
    assert not spec.rollback.enabled
    assert spec.tags["answer"] == "yes"
    assert spec.tags["time"] == "12:30"
    assert spec.tags["day"] == "2024-01-31"
    assert spec.tags["forced"] == "4711"


def test_anchors_aliases_and_merges() -> None:
    spec = load_spec(
        SPEC.replace("    - name: primary", "    - &first\n      name: primary")
        + """\
tags: &tags {team: ml}
description: &text about churn
owner: *text
""",
        source="spec.yaml",
    )
    assert spec.owner == spec.description == "about churn"
    variants = """\
    - &first
      name: one
      instance_type: ml.m5.large
      count: 2
    - <<: *first
      name: two
"""
    first = "    - name: primary\n      instance_type: ml.m5.large\n      count: 2\n"
    spec = load_spec(SPEC.replace(first, variants), source="spec.yaml")
    assert [(v.name, v.count) for v in spec.endpoint.variants] == [("one", 2), ("two", 2)]


def test_a_mapping_s_own_keys_win_over_merged_ones_in_either_order() -> None:
    first = "    - name: primary\n      instance_type: ml.m5.large\n      count: 2\n"
    one = "    - &one\n      name: one\n      instance_type: ml.m5.large\n      count: 5\n"
    two = "    - name: 2.0\n      count: many\n      <<: *one\n"
    found = problems(SPEC.replace(first, one + two))
    assert [(p.line, p.path, p.found) for p in found] == [
        (18, "endpoint.variants[1].name", "2.0"),
        (19, "endpoint.variants[1].count", "'many'"),
    ]


def test_a_control_character_behind_letters_of_two_bytes() -> None:
    (problem,) = problems("# äöü äöü äöü\nname: é\x07\n")
    assert (problem.line, problem.column) == (2, 8)


def test_a_problem_behind_an_alias_stands_where_it_is_used() -> None:
    text = SPEC.replace("name: churn", "name: &name Churn").replace("name: primary", "name: *name")
    text = text.replace("count: 2", "count: 2\n      environment: {A: *name, B-C: *name}")
    found = problems(text)
    assert [(p.line, p.path) for p in found] == [(1, "name"), (17, "endpoint.variants[0].environment.B-C")]


def test_every_problem_at_once_in_the_order_of_lines() -> None:
    found = problems(
        SPEC.replace("churn\n", "Churn\n")
        .replace("count: 2", "count: 0")
        .replace("    payload", "    paylaod")
    )
    assert [(p.line, p.path) for p in found] == [
        (1, "name"),
        (16, "endpoint.variants[0].count"),
        (18, "smoke_tests[0].payload"),
        (19, "smoke_tests[0].paylaod"),
    ]
    assert found[-1].hint == "did you mean payload?"


def test_a_problem_in_full() -> None:
    (problem,) = problems(SPEC.replace("count: 2", "count: 0"))
    assert problem.as_dict() == {
        "source": "spec.yaml",
        "line": 16,
        "column": 14,
        "path": "endpoint.variants[0].count",
        "found": "0",
        "expected": "a whole number from 1 to 1000",
        "hint": "",
    }
    assert (
        str(problem)
        == "spec.yaml:16: endpoint.variants[0].count: found 0, expected a whole number from 1 to 1000"
    )


def test_an_environment_s_values_are_not_shown() -> None:
    secret = "hunter2" * 200
    for value in (secret, 4711, "true", 'x" #'):
        text = SPEC.replace("  image:", f"  environment: {{TOKEN: {value}}}\n  image:", 1)
        for problem in problems(text):
            assert "hunter2" not in str(problem)
            assert "4711" not in str(problem)


def test_a_key_named_as_a_union_s_arm() -> None:
    (problem,) = problems(SPEC.replace("    version: 1.2-1", "    version: 1.2-1\n    uri: x"))
    assert problem.path == "model.image.uri"
    (problem,) = problems(SPEC + "release: {strategy: direct, direct: 1}\n")
    assert problem.path == "release.direct"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 200_000 + "]" * 200_000, "400000 characters"),
        ("[" * 100_000, "more than 32 levels of nesting"),
        ("{a: " * 60_000, "more than 32 levels of nesting"),
        ("- " * 100_000, "more than 32 levels of nesting"),
        ("a: " + "9" * 10_000, None),
        ("a: 1e999\n", None),
        ("a: -" + "9" * 5000 + ".5", None),
    ],
)
def test_text_made_to_hurt(text: str, found: str | None) -> None:
    first = problems(text)[0]
    assert found is None or first.found == found


def test_a_relative_path_is_read_against_the_file() -> None:
    deployment = Deployment(load_spec(SPEC, source="x"), Path("/specs/team/churn.yaml"))
    assert deployment.key == "churn__prod"
    assert deployment.file("payloads/one.json") == Path("/specs/team/payloads/one.json")
    assert deployment.file("../models/one.json") == Path("/specs/models/one.json")


def loads_or_explains(text: str) -> None:
    found: tuple[SpecProblem, ...] = ()
    try:
        load_spec(text, source="spec.yaml")
    except InvalidSpec as error:
        found = error.problems or (SpecProblem("", 0, 0, "", "", ""),)
    for problem in found:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.found
        assert problem.expected
        assert "None" not in problem.expected


@given(st.text())
@example("\ud800")
@example("\x00")
@example("a: &a [*a, *a]")
@example("<<: *x")
@example("&a a: *a")
@example("? &a [*a]\n: x")
@example("%TAG ! tag:x,2000:\n---\na: !b c")
@example("a: !<tag:yaml.org,2002:int> x")
@example("\ufeffname: x")
def test_any_text_loads_or_is_explained(text: str) -> None:
    loads_or_explains(text)


LINES = SPEC.splitlines()
TOKENS = st.sampled_from(
    [
        *(
            ":",
            "- ",
            "[",
            "]",
            "{",
            "}",
            "'",
            '"',
            "#",
            "&a ",
            "*a",
            "!!int ",
            "|",
            ">",
            "\t",
            "\n",
            "  ",
            "? ",
        ),
        *("null", "true", "1.5", "-1", "999999999999999999999", ".nan", "---\n", "<<: "),
    ]
)


@settings(max_examples=300)
@given(st.data())
def test_a_mutated_spec_loads_or_is_explained(data: st.DataObject) -> None:
    text = SPEC
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + data.draw(TOKENS | st.text(max_size=4)) + text[end:]
    loads_or_explains(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([i for i, line in enumerate(LINES) if ": " in line]), VALUES)
def test_any_value_for_any_key_loads_or_is_explained(index: int, value: object) -> None:
    lines = list(LINES)
    key = lines[index].partition(":")[0]
    lines[index] = f"{key}: {json.dumps(value)}"
    loads_or_explains("\n".join(lines))
