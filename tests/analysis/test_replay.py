"""Looks that rest on requests of our own: good, failing, slow and wrong candidates beside a champion."""

from collections.abc import Callable
from typing import Any

import pytest

from endpoint_deploy.analysis.look import Look
from endpoint_deploy.analysis.measure import Measured
from endpoint_deploy.analysis.replay import Replayed
from endpoint_deploy.core.release import Release as Record
from endpoint_deploy.core.render_release import render_release
from endpoint_deploy.judge.judge import judge
from tests.analysis.conftest import Release

Make = Callable[..., Release]
# Few requests suffice for gross effects; nothing here measures how fast anything is.
ERRORS = {"kind": "error_rate", "source": "replay", "negligible": 0.2, "least": 20, "samples": 60}
LATENCY = {
    "kind": "latency_quantile",
    "quantile": 0.5,
    "tolerated": 2,
    "unacceptable": 4,
    "least": 20,
    "samples": 80,
}
ANSWERS = {
    "kind": "disagreement",
    "of": "either",
    "tolerated": 0.1,
    "unacceptable": 0.5,
    "least": 10,
    "samples": 60,
}
LINES = {"payload": "lines.jsonl", "lines": True}


def analysis(*metrics: dict[str, Any], **more: Any) -> dict[str, Any]:
    replay = {"smoke_tests": False, "payloads": [LINES], "requests_per_look": 60}
    return {"metrics": list(metrics), "replay": replay, **more}


def test_a_good_candidate_passes(release: Make) -> None:
    taken = release(analysis(ERRORS, ANSWERS)).looks("same")
    assert (taken[-1].on.way, taken[-1].judgement.verdict) == ("promote", "pass"), taken[-1].on.reason
    numbers = taken[-1].judgement.of("disagreement").numbers
    assert (numbers.effect, numbers.candidate_samples) == (0.0, 60)


def test_one_that_raises_is_taken_back(release: Make) -> None:
    taken = release(analysis(ERRORS, ANSWERS)).looks("raises")
    assert taken[-1].on.way == "roll_back"
    assert "60 of 60 requests failed" in taken[-1].on.reason
    assert taken[-1].measured["failures"] == {"candidate": {"ModelError": 60}}


def test_one_that_answers_wrongly_with_status_200_is_taken_back(release: Make) -> None:
    taken = release(analysis(ERRORS, ANSWERS)).looks("wrong")
    assert taken[-1].on.way == "roll_back"
    assert taken[-1].judgement.of("disagreement").verdict == "fail"
    assert taken[-1].judgement.of("error_rate").verdict != "fail"


def test_one_that_is_many_times_slower_is_taken_back(release: Make) -> None:
    taken = release(analysis(LATENCY)).looks("slow")
    assert taken[-1].on.way == "roll_back"
    assert taken[-1].judgement.of("latency").numbers.effect > 2


def test_what_need_not_pass_can_fail_and_holds_up_nobody(release: Make) -> None:
    """Ten payloads can prove that a model is wrong, and cannot that it is right."""
    veto = {
        **ANSWERS,
        "least": 5,
        "tolerated": 0.01,
        "unacceptable": 0.03,
        "samples": 100,
        "must_pass": False,
    }
    changes = {"replay": {"requests_per_look": 60}}
    assert release(analysis(ERRORS, veto, **changes)).looks("same")[-1].on.way == "promote"
    assert release(analysis(ERRORS, veto, **changes)).looks("wrong")[-1].on.way == "roll_back"


def test_a_look_is_taken_once_and_read_again(release: Make) -> None:
    one = release(analysis({**ERRORS, "samples": 500}))
    first = one.look("same")
    assert one.look("same") == first
    second = one.look("same", first)
    assert (second.number, second.judgement.look) == (2, 2)
    assert one.look("same", first) == second
    assert sorted(one.stored()) == ["look-001.json", "look-002.json", "replay-001.json", "replay-002.json"]


def test_a_replay_is_not_repeated_where_only_the_look_was_lost(release: Make) -> None:
    one = release(analysis({**ERRORS, "samples": 500}))
    first = one.look("same")
    kept = one.stored()["replay-001.json"]
    bucket, _, prefix = one.deployment.spec.aws.store.removeprefix("s3://").partition("/")
    (key,) = [
        item["Key"]
        for item in one.hook.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        if item["Key"].endswith("look-001.json")
    ]
    one.hook.s3.delete_object(Bucket=bucket, Key=key)
    again = one.look("same")
    assert one.stored()["replay-001.json"] == kept
    assert again.judgement == first.judgement


def test_no_request_is_kept(release: Make) -> None:
    one = release(analysis(ERRORS, ANSWERS))
    one.looks("same")
    kept = str(one.stored())
    assert "prediction" in kept
    assert not [number for number in range(60) if f"[{number}.25]" in kept]


@pytest.mark.parametrize(
    ("on_inconclusive", "way"), [("ask", "ask"), ("fail", "roll_back"), ("promote", "promote")]
)
def test_too_few_requests_end_as_the_spec_says(release: Make, on_inconclusive: str, way: str) -> None:
    few = {**ANSWERS, "least": 10, "samples": 2500, "tolerated": 0.01, "unacceptable": 0.02}
    replay = {"requests_per_look": 20}
    taken = release(analysis(few, replay=replay, on_inconclusive=on_inconclusive)).looks("same")
    assert taken[-1].on.way == way, taken[-1].on.reason
    assert "no other requests to replay" in taken[-1].on.reason
    assert len(taken) == 2


def test_an_endpoint_that_does_not_answer_ends_with_a_person(release: Make) -> None:
    one = release(analysis(ERRORS, on_inconclusive="promote"))
    taken = one.looks("absent")
    assert [each.judgement.verdict for each in taken] == ["error"] * 3
    assert taken[-1].on.way == "ask"
    assert "requests cannot be replayed: ValidationError" in taken[-1].on.reason


def test_the_ledgers_record_shows_what_was_judged(release: Make) -> None:
    one = release(analysis(ERRORS, {**ANSWERS, "must_pass": False}))
    taken = one.looks("raises")
    record = Record.model_validate(
        {
            "kind": "deploy",
            "outcome": "rolled_back",
            "deployment": "analysed__test",
            "endpoint": "analysed",
            "run": {"dag_id": "d", "run_id": "r", "run_type": "manual"},
            "started_at": "2026-01-01T00:00:00+00:00",
            "finished_at": "2026-01-01T00:01:00+00:00",
            "seconds": 60.0,
            "evidence": {
                "smoke_test": {"requests": 3},
                "shift_traffic": {"stages": [{"name": "25-percent", "analysis": taken[-1].evidence}]},
            },
        }
    )
    shown = render_release(Record.model_validate_json(record.model_dump_json()))
    assert "  analysis step-25: fail at the first look, then roll_back\n" in shown
    assert "    fail: error_rate: 60 of 60 requests failed" in shown
    assert "    error (need not pass): disagreement: no request was answered by both sides" in shown
    assert f"    kept: {one.deployment.spec.aws.store}/analysis/" in shown
    assert "  evidence.smoke_test.requests: 3\n" in shown
    assert "  evidence.shift_traffic.stages[0].name: 25-percent\n" in shown
    assert "stages[0].analysis" not in shown


def test_the_same_measurements_give_the_same_judgement_after_a_round_trip(release: Make) -> None:
    """Looks are JSON between two tasks: nothing of what has been spent is lost on the way."""
    one = release(analysis({**ERRORS, "samples": 500}, {**ANSWERS, "samples": 500}))
    first = one.look("same")
    again = Look.model_validate_json(first.model_dump_json())
    assert again == first
    second = one.look("same", again)
    replays = [
        Replayed.model_validate(each) for name, each in sorted(one.stored().items()) if "replay" in name
    ]
    section = one.deployment.spec.analysis
    assert judge(section.judge_plan(), Measured(replays).of(section), first.judgement) == second.judgement
