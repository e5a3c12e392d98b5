"""What is wrong with a spec: where, what was found, what was expected."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from endpoint_deploy.errors import SpecError


@dataclass(frozen=True, order=True)
class SpecProblem:
    """One thing to fix in one file. Lines and columns count from 1; `path` is empty for the file itself."""

    source: str
    line: int
    column: int
    path: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        at = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.source}:{self.line}: {at}found {self.found}, expected {self.expected}{hint}"

    def as_dict(self) -> dict[str, str | int]:
        """The problem as JSON has it."""
        return asdict(self)


class InvalidSpec(SpecError):
    """A spec cannot be used; carries every problem that was found, in the order of its lines."""

    def __init__(self, problems: Iterable[SpecProblem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Unfit(ValueError):
    """Raised by a validator of the spec's models: values that are right alone and wrong together.

    `at` leads from the value that is validated to the one to blame; empty where it is the value itself.
    """

    def __init__(self, *, found: str, expected: str, at: tuple[str | int, ...] = ()) -> None:
        self.found, self.expected, self.at = found, expected, at
        super().__init__(f"found {found}, expected {expected}")
