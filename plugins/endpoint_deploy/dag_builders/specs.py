"""The specs of a directory, for DAG files and the command line: one bad file never hides the others."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, permutations
from pathlib import Path

from endpoint_deploy.core.document import read_document
from endpoint_deploy.core.load import Deployment, load_spec
from endpoint_deploy.core.problems import InvalidSpec, SpecProblem
from endpoint_deploy.dag_builders.environments import link

DIRECTORY_VARIABLE = "ENDPOINT_DEPLOY_SPECS"


@dataclass(frozen=True)
class LoadedSpecs:
    """What a directory holds: the deployments that can be used, and one error per file that cannot."""

    deployments: tuple[Deployment, ...]
    problems: tuple[InvalidSpec, ...]


def specs_directory() -> Path:
    """Where the specs lie: `ENDPOINT_DEPLOY_SPECS`, else `include/deployments` beside dags/ and plugins/."""
    if configured := os.environ.get(DIRECTORY_VARIABLE):
        return Path(configured)
    return Path(__file__).resolve().parents[3] / "include" / "deployments"


def spec_files(directory: Path) -> list[Path]:
    """The YAML files of a directory and below it, sorted; editors' and systems' hidden files left out."""
    return sorted(
        path
        for path in directory.rglob("*")
        if path.suffix in {".yaml", ".yml"}
        and not any(part.startswith(".") for part in path.relative_to(directory).parts)
        and path.is_file()
    )


def load_file(path: Path) -> Deployment:
    """One file's deployment; raises InvalidSpec, also where the file cannot be read.

    What it promotes is looked for beside it, as `load_files` does.
    """
    loaded = load_files([path])
    if loaded.problems:
        raise InvalidSpec(problem for error in loaded.problems for problem in error.problems)
    return loaded.deployments[0]


def load_files(paths: Iterable[Path]) -> LoadedSpecs:
    """Every file's deployment or error.

    Deployments that claim the same name and environment, or the same endpoint of one connection and region,
    are all left out: which of them is meant cannot be known, and releasing the wrong one is worse than none.
    One whose `promotion` leads nowhere stays, since it may have to be rolled back; its releases are refused.
    """
    found, problems = _read(paths)
    clashes = _clashes(found)
    usable = tuple(each for each in found if each.source not in clashes)
    linked = link(usable, _elsewhere)
    astray = (_astray(each, wrong) for each, wrong in linked if wrong)
    return LoadedSpecs(
        deployments=tuple(each for each, _ in linked), problems=(*problems, *clashes.values(), *astray)
    )


def _read(paths: Iterable[Path]) -> tuple[list[Deployment], list[InvalidSpec]]:
    deployments: list[Deployment] = []
    problems: list[InvalidSpec] = []
    for path in paths:
        try:
            deployments.append(Deployment(load_spec(read_text(path), source=str(path)), path))
        except InvalidSpec as error:
            problems.append(error)
    return deployments, problems


def _elsewhere(key: str, seen_from: Path) -> Deployment | None:
    """A deployment that was not asked for: among all specs, or beside a file that is none of them."""
    everywhere = specs_directory()
    ours = everywhere.is_dir() and seen_from.resolve().is_relative_to(everywhere.resolve())
    files = spec_files(everywhere) if ours else sorted(seen_from.parent.glob("*.y*ml"))
    likely = [path for path in files if _mentions(path, *key.split("__"))]
    return next((each for each in _read(likely)[0] if each.key == key), None)


def _astray(one: Deployment, found: str) -> InvalidSpec:
    document = read_document(read_text(one.source), source=str(one.source))
    expected = f"an environment of which there is a usable spec of {one.spec.name}, and no way back to here"
    return InvalidSpec([document.problem(("promotion", "from_environment"), found=found, expected=expected)])


def load_directory(directory: Path) -> LoadedSpecs:
    """`load_files` of a directory; one that does not exist is a problem and not an empty list."""
    if not directory.is_dir():
        problem = SpecProblem(
            str(directory),
            1,
            1,
            "",
            "no directory",
            f"one with a YAML file per deployment; set {DIRECTORY_VARIABLE}",
        )
        return LoadedSpecs((), (InvalidSpec([problem]),))
    return load_files(spec_files(directory))


def deployments(only_key: str | None = None) -> tuple[Deployment, ...]:
    """The usable deployments of `specs_directory()`; spec_errors.py reports the others.

    With `only_key` (`<name>__<environment>`, from the DAG id that a task run asks for) only the files that
    mention both are parsed: a task run pays for its own spec, not for five hundred.
    """
    directory = specs_directory()
    if only_key is None or not directory.is_dir():
        return load_directory(directory).deployments
    name, _, environment = only_key.partition("__")
    files = spec_files(directory)
    likely = [path for path in files if _mentions(path, name, environment)]
    # YAML can write a name so that its letters stand nowhere; then every file must be read.
    return _of_key(likely, only_key) or _of_key(files, only_key)


def _of_key(paths: Iterable[Path], key: str) -> tuple[Deployment, ...]:
    return tuple(each for each in load_files(paths).deployments if each.key == key)


def raise_invalid() -> None:
    """Raise InvalidSpec with all problems of all specs in `specs_directory()`, if there are any."""
    if errors := load_directory(specs_directory()).problems:
        raise InvalidSpec(problem for error in errors for problem in error.problems)


def _mentions(path: Path, *words: str) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return all(word.encode() in content for word in words)


def read_text(path: Path) -> str:
    """A file's text; raises InvalidSpec where there is none in UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found, expected = f"the byte 0x{error.object[error.start]:02x}", "a file in UTF-8"
    except OSError as error:
        line, found, expected = 1, f"no readable file ({error.strerror})", "a YAML file"
    raise InvalidSpec([SpecProblem(str(path), line, 1, "", found, expected)])


def _clashes(found: list[Deployment]) -> dict[Path, InvalidSpec]:
    """The files that claim what another claims too, each with an error that names the other."""
    named: defaultdict[str, list[Deployment]] = defaultdict(list)
    serving: defaultdict[tuple[str, ...], list[Deployment]] = defaultdict(list)
    for each in found:
        named[each.key].append(each)
        aws = each.spec.aws
        # CreateEndpoint takes names without regard to case (API reference, EndpointName).
        serving[aws.conn_id, aws.region, each.spec.endpoint_name.lower()].append(each)
    problems: defaultdict[Path, list[SpecProblem]] = defaultdict(list)
    for one, other in _pairs(named.values()):
        what = f"{one.spec.name!r} in environment {one.spec.environment!r}"
        problems[one.source].append(_clash(one, other, "name", what, "a name of its own per environment"))
    for one, other in _pairs(serving.values()):
        if one.key != other.key:
            what = f"the endpoint {one.spec.endpoint_name!r} in {one.spec.aws.region}"
            problems[one.source].append(
                _clash(one, other, "endpoint.name", what, "one deployment an endpoint")
            )
    return {source: InvalidSpec(each) for source, each in problems.items()}


def _pairs(groups: Iterable[list[Deployment]]) -> Iterator[tuple[Deployment, Deployment]]:
    return chain.from_iterable(permutations(group, 2) for group in groups)


def _clash(one: Deployment, other: Deployment, path: str, what: str, expected: str) -> SpecProblem:
    found = f"{what}, as in {other.source}"
    document = read_document(read_text(one.source), source=str(one.source))
    return document.problem(tuple(path.split(".")), found=found, expected=expected)
