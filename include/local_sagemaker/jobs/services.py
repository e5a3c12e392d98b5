"""All kinds of jobs together, as the server holds them."""

import asyncio
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.tags import TagOwner
from local_sagemaker.hosting.catalog import Catalog
from local_sagemaker.hosting.fleet import FleetTools
from local_sagemaker.jobs.book import JobBook
from local_sagemaker.jobs.processing import ProcessingBook, ProcessingWork
from local_sagemaker.jobs.run import JobTools
from local_sagemaker.jobs.training import TrainingBook, TrainingWork
from local_sagemaker.jobs.transform import TransformWork
from local_sagemaker.jobs.tuning import TuningBook, TuningWork


class Jobs:
    """The books of every kind of job."""

    def __init__(self, tools: JobTools, models: Catalog, fleet: FleetTools) -> None:
        self.training_work = TrainingWork(tools)
        self.training = TrainingBook(self.training_work, tools)
        self.books: list[JobBook] = [
            self.training,
            TuningBook(TuningWork(tools, self.training), tools),  # after its training jobs, also to resume
            ProcessingBook(ProcessingWork(), tools),
            JobBook(TransformWork(models, fleet), tools),
        ]

    def resume(self) -> None:
        """Read every job from the store and go on with those that had not finished."""
        for book in self.books:
            book.resume()

    async def close(self) -> None:
        """Break off what runs; it goes on after the next start."""
        await asyncio.gather(*(book.close() for book in self.books))

    def operations(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """The API's operations on jobs, by name."""
        return {name: call for book in self.books for name, call in book.operations().items()}

    def tag_owners(self) -> dict[str, TagOwner]:
        """Who keeps the tags of which kind of ARN."""
        return {book.kind.arn_kind: book.tags_of for book in self.books}
