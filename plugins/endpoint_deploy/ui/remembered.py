"""Answers that are remembered, with their age: a page is served at once, also while AWS does not answer."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_POOL = ThreadPoolExecutor(16, thread_name_prefix="endpoint-deploy-ui")
_FIRST_PATIENCE = 8.0  # seconds for an answer where there is none yet
_PATIENCE = 0.5  # and where there is an older one
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
A = TypeVar("A", bound=Hashable)
Q = TypeVar("Q")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The last good answer and its age in seconds, None where there is none; why there is no newer one."""

    value: T | None = None
    age: float | None = None
    problem: str | None = None


@dataclass
class _Known(Generic[T]):
    """What is known of one question. Times are the monotonic clock's."""

    value: T | None = None
    answered_at: float | None = None
    asked_at: float | None = None
    about: Hashable = None
    problem: str | None = None
    under_way: "Future[None] | None" = None

    def is_due(self, fresh_seconds: float, about: Hashable) -> bool:
        """Whether to ask again: the last time is so long ago, or was about another version."""
        old = self.asked_at is None or time.monotonic() - self.asked_at >= fresh_seconds
        return (old or about != self.about) and self.under_way is None

    def answer(self) -> Answer[T]:
        if self.answered_at is None:
            return Answer(problem=self.problem or f"no answer within {_FIRST_PATIENCE:.0f} s")
        return Answer(self.value, time.monotonic() - self.answered_at, self.problem)


class RememberedTogether(Generic[K, A, T]):
    """Questions of one kind, each by its key: those that are due are asked together, in one go.

    ask: from what each question is about to the answers of all of them.
    """

    def __init__(
        self, ask: Callable[[Mapping[K, A]], Mapping[K, T]], *, explain: Callable[[Exception], str]
    ) -> None:
        self._ask = ask
        self._explain = explain
        self._lock = threading.Lock()
        self._known: dict[K, _Known[T]] = {}

    def start(self, about: Mapping[K, A], fresh_seconds: float) -> "set[Future[None]]":
        """Ask again what is old, or was about something else, unless it is asked just now."""
        with self._lock:
            known = {key: self._known.setdefault(key, _Known()) for key in about}
            due = {key: each for key, each in about.items() if known[key].is_due(fresh_seconds, each)}
            if due:
                under_way = _POOL.submit(self._ask_now, due)
                for key, each in due.items():
                    known[key].about, known[key].under_way = each, under_way
            return {each.under_way for each in known.values() if each.under_way is not None}

    def answers(self, about: Mapping[K, A], fresh_seconds: float) -> dict[K, Answer[T]]:
        """The answers, at most so old; older ones with age and problem where no newer come in time."""
        if under_way := self.start(about, fresh_seconds):
            with self._lock:
                first = any(self._known[key].answered_at is None for key in about)
            wait(under_way, timeout=_FIRST_PATIENCE if first else _PATIENCE)
        with self._lock:
            return {key: self._known[key].answer() for key in about}

    def _ask_now(self, due: Mapping[K, A]) -> None:
        found: Mapping[K, T] = {}
        problem = None
        asked_at = time.monotonic()
        try:
            found = self._ask(due)
        except Exception as error:
            problem = self._explain(error)
        with self._lock:
            for key in due:
                known = self._known[key]
                known.asked_at, known.problem, known.under_way = time.monotonic(), problem, None
                if problem is None:
                    known.value, known.answered_at = found[key], asked_at


class Remembered(Generic[T]):
    """One question: asked again by whoever wants to know once the answer is old, by one at a time."""

    def __init__(self, ask: Callable[[], T], *, explain: Callable[[Exception], str]) -> None:
        self._alone: RememberedTogether[None, Hashable, T] = RememberedTogether(
            lambda _: {None: ask()}, explain=explain
        )

    def start(self, fresh_seconds: float, about: Hashable = None) -> None:
        """Ask again where the last time is so long ago, or was about another version of the question."""
        self._alone.start({None: about}, fresh_seconds)

    def answer(self, fresh_seconds: float, about: Hashable = None) -> Answer[T]:
        """The answer, at most so old; an older one with its age and problem where no newer comes in time."""
        return self._alone.answers({None: about}, fresh_seconds)[None]


class Memory:
    """Remembered questions by what they ask about."""

    def __init__(self, explain: Callable[[Exception], str]) -> None:
        self._explain = explain
        self._lock = threading.Lock()
        self._known: dict[Hashable, Any] = {}

    def of(self, key: Hashable, ask: Callable[[], Q]) -> Remembered[Q]:
        """The question of this key; `ask` is what asks it the first time and ever after."""
        found: Remembered[Q] = self._made(key, lambda: Remembered(ask, explain=self._explain))
        return found

    def together(
        self, key: Hashable, ask: Callable[[Mapping[K, A]], Mapping[K, Q]]
    ) -> RememberedTogether[K, A, Q]:
        """The questions of this key that are asked together, by `ask`."""
        found: RememberedTogether[K, A, Q] = self._made(
            key, lambda: RememberedTogether(ask, explain=self._explain)
        )
        return found

    def _made(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._known:
                self._known[key] = make()
            return self._known[key]
