"""The suite's options, where it runs, and what it prints: a table of facts and `N passed, N failed`."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.account import Account
from tests.conformance.facts import FACTS, NOT_PROVOKABLE
from tests.conformance.target import Misconfigured, Target, aws_target, local_target
from tests.local_sagemaker.server_process import Server

_HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target", choices=["local", "aws"], default="local", help="where the conformance suite runs"
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("fact"):
        item.user_properties.append(("fact", mark.args[0]))
    only = item.get_closest_marker("local_only")
    if only and item.config.getoption("--target", default="local") != "local":
        pytest.skip(f"local only: {only.kwargs['reason']}")


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Where this run's requests go."""
    if request.config.getoption("--target", default="local") == "aws":
        try:
            yield aws_target()
        except Misconfigured as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        return
    servers: list[Server] = []

    def start(*options: str) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("conformance") / "state", *options))
        return servers[-1].start()

    yield local_target(start)
    for server in servers:
        server.end()


@pytest.fixture(scope="session")
def shared_account(target: Target) -> Iterator[Account]:
    """For fixtures that several tests share."""
    account = Account(target)
    yield account
    account.remove_everything()


@pytest.fixture
def account(shared_account: Account) -> Iterator[Account]:
    """The run's account; the endpoints that a test begins go when it ends."""
    with shared_account.only_for_now():
        yield shared_account


@pytest.fixture(scope="session")
def endpoint(shared_account: Account) -> str:
    """An endpoint in service, for tests that change nothing about it."""
    return shared_account.endpoint(shared_account.release(RELEASE="shared"))


@pytest.fixture(scope="session")
def serverless_endpoint(shared_account: Account) -> str:
    """A serverless endpoint in service that takes one request at a time."""
    return shared_account.endpoint(shared_account.config(shared_account.serverless(shared_account.model())))


def _chosen(config: pytest.Config) -> bool:
    """Whether this run is of the suite alone; as a part of all tests it prints nothing of its own."""
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    return all(path.is_relative_to(_HERE) for path in named)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not _chosen(config):
        return
    outcomes = _outcomes(terminalreporter)
    terminalreporter.section("facts")
    for fact, what in FACTS.items():
        met = outcomes.get(fact, [])
        verdict = "not run" if not met else "fails" if "failed" in met else "/".join(sorted(set(met)))
        if verdict != "passed" and fact in NOT_PROVOKABLE:
            verdict = f"{verdict}: {NOT_PROVOKABLE[fact]}"
        terminalreporter.write_line(f"{fact:34} {what}: {len(met)} tests, {verdict}")


def _outcomes(reporter: pytest.TerminalReporter) -> dict[str, list[str]]:
    """What became of the tests of each fact."""
    met: dict[str, list[str]] = defaultdict(list)
    for category, outcome in (
        ("passed", "passed"),
        ("failed", "failed"),
        ("error", "failed"),
        ("skipped", "skipped"),
    ):
        for report in reporter.stats.get(category, []):
            for kind, fact in report.user_properties:
                if kind == "fact":
                    met[fact].append(outcome)
    return met


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput") or not _chosen(config):
        return
    counted: Callable[[str], int] = lambda category: len(reporter.stats.get(category, []))  # noqa: E731
    print(f"{counted('passed')} passed, {counted('failed') + counted('error')} failed")
