"""Run the demo: start a stack of its own, drive its two scenes, judge, report, stop."""

import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.status import Status

from local_stack.demo.artifacts import build_artifacts
from local_stack.demo.lessons import FIRST, LESSONS, LessonResult
from local_stack.demo.releases import Releases
from local_stack.demo.report import Report, show_lesson, show_step
from local_stack.demo.retraining import Retraining
from local_stack.demo.scenario import STEPS
from local_stack.paths import DEFAULT_STATE_DIR, StatePaths
from local_stack.record import read_running
from local_stack.stack import StackError, running_stack


def run_demo(console: Console, state_dir: Path = DEFAULT_STATE_DIR) -> bool:
    """Run it all, write `demo.json` into `state_dir`, and say whether everything came out as said."""
    started = time.monotonic()
    home = state_dir.resolve() / "demo"
    if read_running(StatePaths(home)):
        raise StackError(f"another demo runs in {home}: wait until it has ended")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    trap = home / "the-malicious-archive-was-run"
    report = Report()
    with ExitStack() as until_the_end:
        status = until_the_end.enter_context(console.status("starting"))
        pool = until_the_end.enter_context(ThreadPoolExecutor(2))
        archives = pool.submit(build_artifacts, home / "artifacts", trap)
        stack = until_the_end.enter_context(
            running_stack(home, on_progress=lambda detail: status.update(f"waiting for {detail}"))
        )
        console.print(f"Airflow is at {stack.api_url}, login admin / {stack.secrets.admin_password}")
        status.update("training the model")
        releases = Releases(stack, {each.release: each for each in archives.result()}, status)
        retraining = Retraining(stack, home / "data-docs")
        # The second scene's first model is trained meanwhile: it takes as long as three of the releases.
        first = pool.submit(retraining.learn, FIRST)
        console.rule("releases, good and broken", align="left", characters="-")
        if _release(releases, report, console):
            console.rule("digits, retrained as its data grow", align="left", characters="-")
            _retrain(retraining, first, report, console, status)
        status.update("stopping")
    if trap.exists():
        report.problems.append("release 5 was unpickled: the command in it ran")
    report.write(state_dir.resolve() / "demo.json")
    report.show(console, time.monotonic() - started)
    return not report.problems


def _release(releases: Releases, report: Report, console: Console) -> bool:
    """The first scene; says whether all came out as said."""
    with ExitStack() as until_the_end:
        releases.prepare()
        for step in STEPS:
            result = releases.run(step, until_the_end)
            problems = report.add(result)
            show_step(console, result, problems)
            if problems:
                return False  # each release builds on the one before
        report.judge(releases.measure())
    return not report.problems


def _retrain(
    retraining: Retraining, first: Future[LessonResult], report: Report, console: Console, status: Status
) -> None:
    """The second scene, whose first lesson is under way already."""
    with ExitStack() as until_the_end:
        status.update("waiting for the first model of the digits")
        result = first.result()
        retraining.start_traffic(until_the_end)
        lessons = iter(LESSONS[1:])
        while True:
            problems = report.add_lesson(result)
            show_lesson(console, result, problems)
            lesson = next(lessons, None)
            if problems or lesson is None:
                return  # each builds on the model that the one before left
            result = retraining.learn(lesson, status.update)
