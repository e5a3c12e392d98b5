import runpy
from pathlib import Path

import pytest

from endpoint_deploy.core.problems import InvalidSpec
from endpoint_deploy.dag_builders import specs
from tests.dag_bag import DagBag

REPOSITORY = Path(__file__).parents[2]
SPEC = """\
name: {name}
environment: {environment}
aws:
  region: eu-west-1
  role_arn: arn:aws:iam::123456789012:role/sagemaker-execution
  store: s3://ml-platform/endpoint-deploy
model:
  artifact: s3://ml-platform/models/churn/model.tar.gz
  image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1
endpoint:
  variants:
    - instance_type: ml.m5.large
smoke_tests:
  - name: one
    payload: payloads/one.json
"""


def write(directory: Path, file: str, name: str, environment: str = "prod", more: str = "") -> Path:
    path = directory / file
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(SPEC.format(name=name, environment=environment) + more)
    return path


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(specs.DIRECTORY_VARIABLE, str(tmp_path))
    return tmp_path


def keys(only_key: str | None = None) -> list[str]:
    return [each.key for each in specs.deployments(only_key)]


def lines(directory: Path) -> list[str]:
    return [line for error in specs.load_directory(directory).problems for line in str(error).splitlines()]


def test_the_default_is_the_project_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(specs.DIRECTORY_VARIABLE, raising=False)
    assert specs.specs_directory() == REPOSITORY / "include" / "deployments"
    assert keys() == ["breast-cancer__demo", "diabetes__demo", "digits__demo"]


def test_one_bad_file_hides_no_other(directory: Path) -> None:
    write(directory, "a.yaml", "one")
    write(directory, "b.yaml", "Two")
    write(directory, "team/c.yml", "three")
    write(directory, ".hidden/d.yaml", "four")
    (directory / "e.yaml").write_bytes(b"name: caf\xe9\n")
    (directory / "f.txt").write_text("no spec")
    assert keys() == ["one__prod", "three__prod"]
    found = lines(directory)
    assert found[0].startswith(f"{directory}/b.yaml:1: name: found 'Two', expected ")
    assert found[1] == f"{directory}/e.yaml:1: found the byte 0xe9, expected a file in UTF-8"


def test_deployments_of_one_name_are_all_refused_and_name_each_other(directory: Path) -> None:
    a, b = write(directory, "a.yaml", "one"), write(directory, "b.yaml", "one")
    write(directory, "c.yaml", "one", "dev")
    assert keys() == ["one__dev"]
    found = lines(directory)
    expected = "expected a name of its own per environment"
    assert found == [
        f"{one}:1: name: found 'one' in environment 'prod', as in {other}, {expected}"
        for one, other in ((a, b), (b, a))
    ]


def test_deployments_of_one_endpoint_are_all_refused(directory: Path) -> None:
    a = write(directory, "a.yaml", "one")
    b = write(directory, "b.yaml", "two")
    b.write_text(b.read_text().replace("endpoint:\n", "endpoint:\n  name: One-prod\n"))
    c = write(directory, "c.yaml", "three")
    text = c.read_text().replace("endpoint:\n", "endpoint:\n  name: one-prod\n")
    c.write_text(text.replace("region: eu-west-1", "region: eu-west-2"))
    assert keys() == ["three__prod"]
    found = lines(directory)
    assert f"{a}:10: endpoint.name: found the endpoint 'one-prod' in eu-west-1, as in {b}" in found[0]
    assert f"{b}:11: endpoint.name: found the endpoint 'One-prod' in eu-west-1, as in {a}" in found[1]


def test_a_task_run_reads_its_own_spec_only(directory: Path) -> None:
    write(directory, "a.yaml", "one")
    write(directory, "b.yaml", "two")
    write(directory, "c.yaml", "one", "dev")
    assert keys("one__dev") == ["one__dev"]
    assert keys("two__prod") == ["two__prod"]
    assert keys("three__prod") == []
    (directory / "d.yaml").write_text("name: [")
    assert keys("one__prod") == ["one__prod"]


def test_a_name_is_found_however_it_is_written(directory: Path) -> None:
    path = write(directory, "a.yaml", "orders")
    path.write_text(path.read_text().replace("name: orders", 'name: "\\x6frders"'))
    assert keys("orders__prod") == keys() == ["orders__prod"]


def test_no_directory_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(specs.DIRECTORY_VARIABLE, str(tmp_path / "nowhere"))
    assert keys() == keys("one__prod") == []
    assert "nowhere:1: found no directory" in lines(tmp_path / "nowhere")[0]


def test_the_dag_file_is_silent_or_lists_every_problem(directory: Path) -> None:
    file = str(REPOSITORY / "dags" / "spec_errors.py")
    write(directory, "a.yaml", "one")
    runpy.run_path(file)
    write(directory, "b.yaml", "Two")
    write(directory, "c.yaml", "Three")
    with pytest.raises(InvalidSpec) as caught:
        runpy.run_path(file)
    found = str(caught.value).splitlines()
    assert [line.partition(": found")[0] for line in found] == [
        f"{directory}/b.yaml:1: name",
        f"{directory}/c.yaml:1: name",
    ]


def test_airflow_shows_the_problems_as_an_import_error(directory: Path) -> None:
    file = REPOSITORY / "dags" / "spec_errors.py"
    assert DagBag(dag_folder=file, safe_mode=True).import_errors == {}
    path = write(directory, "a.yaml", "Two")
    (shown,) = DagBag(dag_folder=file, safe_mode=True).import_errors.values()
    assert f"{path}:1: name: found 'Two', expected lower-case letters" in shown
