"""The form of a task's documentation: somebody reads it at night, so each has the same three answers."""

from typing import NamedTuple


class TaskDoc(NamedTuple):
    """What the task does, what its failure means, what to do about it; Markdown."""

    does: str
    failing: str
    then: str

    @property
    def markdown(self) -> str:
        """All three, as Airflow shows them."""
        return f"{self.does}\n\n**A failure means:** {self.failing}\n\n**What to do:** {self.then}\n"
