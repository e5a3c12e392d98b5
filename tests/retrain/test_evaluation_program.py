"""What the evaluation's program does in its container, without a job around it."""

import ast
import json
from pathlib import Path

import pytest

from tests.retrain.evaluations import CODE, SCRIPT, Container, model, rows


@pytest.fixture
def container(tmp_path: Path) -> Container:
    made = Container(tmp_path)
    made.held_out()
    return made


def test_both_models_answer_each_row_once_in_the_files_order(container: Container) -> None:
    container.models(model(), model(cut=0.8))

    assert container.run() == 0

    truths = [truth for number in range(2) for _, truth in rows(20)[number::2]]
    numbers = [x for number in range(2) for x, _ in rows(20)[number::2]]
    found = container.predictions()
    assert [row["row"] for row in found] == [str(number) for number in range(20)]
    assert [row["truth"] for row in found] == [str(truth) for truth in truths]
    assert [row["candidate"] for row in found] == [str(int(x >= 0.5)) for x in numbers]
    assert [row["champion"] for row in found] == [str(int(x >= 0.8)) for x in numbers]
    assert [float(row["champion_score"]) for row in found] == numbers
    written = (container.root / "processing" / "evaluation" / "evaluation.json").read_text()
    assert json.loads(written) == {"rows": 20}


def test_a_first_model_has_no_champion_beside_it(container: Container) -> None:
    container.models(model())

    assert container.run() == 0

    assert {(row["champion"], row["champion_score"]) for row in container.predictions()} == {("", "")}


@pytest.mark.parametrize(
    ("content_type", "reads"),
    [
        ("application/json", "[row[0] for row in json.loads(body)['instances']]"),
        ("application/jsonlines", "[json.loads(line)['x'] for line in body.decode().splitlines()]"),
    ],
)
def test_rows_are_sent_in_the_content_type_that_is_asked_for(
    container: Container, content_type: str, reads: str
) -> None:
    container.models(model(CODE.replace("[float(line) for line in body.split()]", reads)))
    container.settings["content-type"] = content_type

    assert container.run() == 0, container.message

    assert all(row["candidate"] == row["truth"] for row in container.predictions())


def test_json_lines_of_held_out_rows_are_read(container: Container) -> None:
    for path in (container.root / "processing" / "data").rglob("*.csv"):
        path.unlink()
    container.put("data/a.jsonl", "".join(json.dumps({"x": x, "target": t}) + "\n" for x, t in rows(9)))
    container.settings["format"] = "jsonlines"
    container.models(model())

    assert container.run() == 0, container.message

    assert len(container.predictions()) == 9


@pytest.mark.parametrize(
    ("output", "answer_type"),
    [
        ("json.dumps({'predictions': [[p['label']] for p in prediction]})", "application/json"),
        ("'\\n'.join(str(p['label']) for p in prediction)", "text/csv"),
        ("','.join(str(p['label']) for p in prediction)", "text/csv"),
        ("'\\n'.join(json.dumps(p['label']) for p in prediction)", "application/jsonlines"),
    ],
)
def test_the_usual_forms_of_answers_are_read(container: Container, output: str, answer_type: str) -> None:
    container.models(model(CODE.replace("json.dumps(prediction), accept", f"{output}, {answer_type!r}")))
    container.settings.update(prediction=None, score=None)

    assert container.run() == 0, container.message

    assert all(row["candidate"] == row["truth"] for row in container.predictions())


def test_functions_that_the_model_leaves_out_are_the_frameworks(container: Container) -> None:
    code = """
class Cut:
    def predict(self, rows): return (rows.reshape(-1) >= 0.5).astype(int)
def model_fn(model_dir, context):
    assert context.system_properties["model_dir"] == model_dir
    return Cut()
"""
    container.models(model(code))
    container.settings.update(prediction=None, score=None)

    assert container.run() == 0, container.message

    assert all(row["candidate"] == row["truth"] for row in container.predictions())


def test_a_model_with_one_transform_fn_answers(container: Container) -> None:
    code = """
import ast
import json
def model_fn(model_dir): return 0.5
def transform_fn(cut, body, content_type, accept):
    print("not an answer")
    return json.dumps([int(float(line) >= cut) for line in body.split()])
"""
    container.models(model(code))
    container.settings.update(prediction=None, score=None)

    assert container.run() == 0, container.message

    assert all(row["candidate"] == row["truth"] for row in container.predictions())


BROKEN = {
    "raises on a row": (
        CODE.replace("return [{", "assert 0.9 not in numbers, 'no such feature'; return [{"),
        "batch 1 (rows 1 to 8): AssertionError: no such feature",
    ),
    "one too few": (
        CODE.replace("for n in numbers]", "for n in numbers[1:]]"),
        "batch 1 (rows 1 to 8): found 7 predictions, expected 8",
    ),
    "one too many": (
        CODE.replace("for n in numbers]", "for n in numbers + [1]]"),
        "batch 1 (rows 1 to 8): found 9 predictions, expected 8",
    ),
    "text instead of JSON": (
        CODE.replace("json.dumps(prediction)", "'<html>'"),
        "the answer starts '<html>'",
    ),
    "another content type": (
        CODE.replace("json.dumps(prediction), accept", "'<html>', 'text/html'"),
        "found the content type 'text/html'",
    ),
    "no such part": (CODE.replace('"label"', '"class"'), "expected one named 'label'"),
    "no named parts": (
        CODE.replace('{"label": int(n >= cut), "benign": min(max(n, 0.0), 1.0)}', "1"),
        "found an answer without parts",
    ),
    "cannot be loaded": (
        "def model_fn(model_dir): raise RuntimeError('weights are missing')",
        "it cannot be loaded: RuntimeError: weights are missing",
    ),
    "no code": ("", "it cannot be loaded: NotImplementedError: Please provide a model_fn"),
    "dies": (CODE.replace("return [{", "os.kill(os.getpid(), 9); return [{"), "was killed by signal 9"),
    "leaves": (CODE.replace("return [{", "raise SystemExit(3); return [{"), "exited with 3"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_candidate_that_does_not_answer_fails_the_evaluation(container: Container, kind: str) -> None:
    code, reason = BROKEN[kind]
    container.models(model(code), model())

    assert container.run() == 1

    assert container.message.startswith("candidate: ")
    assert reason in container.message


def test_a_champion_that_does_not_answer_is_told_apart(container: Container) -> None:
    container.models(model(), model(BROKEN["one too few"][0]))

    assert container.run() == 1

    assert container.message.startswith("champion: batch 1 (rows 1 to 8): found 7 predictions, expected 8")


def test_an_archive_that_leads_out_of_its_directory_is_not_unpacked(container: Container) -> None:
    container.models(model(**{"../outside": b"x"}))

    assert container.run() == 1

    assert "its archive cannot be unpacked" in container.message
    assert not (container.root / "outside").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "found no held-out row"),
        ("x,target\n0.1,\n", "found no value of 'target'"),
        ("x,target\n0.1,0\n0.2\n", "after row 1: found 1 cells, expected 2"),
        ("x,truth\n0.1,0\n", "found no value of 'target'"),
        ('x,target\n"0.1,0\n', "unexpected end of data"),
    ],
)
def test_held_out_files_that_cannot_be_used_are_named(tmp_path: Path, content: str, reason: str) -> None:
    container = Container(tmp_path)
    container.put("data/part.csv", content)
    container.models(model())

    assert container.run() == 1

    assert reason in container.message
    assert not container.message.startswith(("candidate", "champion"))


def test_a_script_of_the_teams_own_writes_the_predictions(container: Container) -> None:
    container.models(model("no code at all"))
    container.put("code/score.py", SCRIPT)
    container.settings["script"] = "score.py"

    assert container.run() == 0, container.message

    assert all(row["candidate"] == row["truth"] for row in container.predictions())


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        ("enumerate(truths[1:])", "found row 0 with the truth"),
        ("enumerate(truths[:-1])", "found 19 rows, expected 20"),
        ("enumerate(truths + ['1'])", "found 21 rows, expected 20"),
        ("enumerate(reversed(truths))", "the held-out rows in their order"),
        ("[] if 1 / 0 else []", "score.py exited with 1"),
    ],
)
def test_what_a_script_wrote_is_held_to_the_held_out_rows(
    container: Container, instead: str, reason: str
) -> None:
    container.models(model())
    container.put("code/score.py", SCRIPT.replace("enumerate(truths)", instead))
    container.settings["script"] = "score.py"

    assert container.run() == 1

    assert reason in container.message


def test_the_environment_of_the_job_is_the_models(container: Container) -> None:
    told = CODE.replace("int(n >= cut)", "os.environ['MODEL_FLAVOR'] + os.environ['SAGEMAKER_BASE_DIR'][-4:]")
    container.models(model(told))

    assert container.run(MODEL_FLAVOR="ridge") == 0, container.message

    assert {row["candidate"] for row in container.predictions()} == {"ridge" + str(container.root)[-4:]}


def test_the_program_is_written_for_the_oldest_python_of_the_images(container: Container) -> None:
    for source in (container.root / "processing" / "code").rglob("*.py"):
        ast.parse(source.read_text(), feature_version=(3, 8))
