"""What every task shares that runs a job of the service: one job per content, adopted and never doubled."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import Context
from botocore.exceptions import ClientError

from endpoint_deploy.aws import errors
from endpoint_deploy.aws.jobs import find_job, stop_job
from endpoint_deploy.core import naming, requests, tags
from endpoint_deploy.core.jobs import Job, JobKind
from endpoint_deploy.errors import ReleaseFailed, TryAgain
from endpoint_deploy.task_base import SLACK, ReleaseTask
from endpoint_deploy.task_links import ON_THE_JOB
from endpoint_deploy.triggers.job_settled import JobSettledTrigger


class JobTask(ReleaseTask):
    """A task that runs a job of the service: its `perform` calls `run_job`.

    Marked failed, cleared or aborted, also while it is deferred, the task stops the job that its run began;
    a job that another run began is waited for and left alone.
    """

    operator_extra_links = ON_THE_JOB

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._begun: tuple[JobKind, str] | None = None
        self.job: tuple[JobKind, str] | None = None  # begun or adopted: what the task's links lead to

    def run_job(
        self,
        context: Context,
        kind: JobKind,
        base: str,
        create: Callable[[str], Any],
        *,
        timeout_seconds: int,
        awaited: str | None = None,
        in_part: bool = False,
    ) -> Job:
        """Return the completed job; begins it where there is none, and defers while it is in progress.

        base: the job's name, of `naming.job_name`: what has the same content has the same name. A job of
        that name in progress or completed is adopted. Where it failed or was stopped before this try of the
        task, or completed and its output is gone, the next one is `<base>-2`, and so on.
        create: makes the job under the name it is given, with `job_tags` as its tags.
        awaited: `carried.get("job")` of `perform`: the job that a deferral waited for.
        timeout_seconds: how long to wait; the job itself has its own limit.
        in_part: a job that failed is returned too, since it may have done a part of its work, and where this
        very run began it and its reason does not pass, it is adopted.

        Raises ReleaseFailed with the service's reason where the job fails or is stopped, TryAgain where the
        reason passes, such as a lack of capacity.
        """
        name = awaited or self._begin_or_adopt(context, kind, base, create, timeout_seconds, in_part=in_part)
        self.job = (kind, name)
        job = self._await(context, kind, name, timeout_seconds, job=name)
        if job is None:
            raise ReleaseFailed(f"{kind} job {name} is gone: somebody deleted it; clear this task to run it")
        if job.phase == "completed" or (in_part and job.phase == "failed"):
            return job
        ended = "failed" if job.phase == "failed" else "was stopped"
        why = job.reason or job.secondary or "the service gives no reason"
        said = f"{kind} job {name} {ended}: {why} (log: {job.log})"
        raise (TryAgain if errors.is_passing_reason(job.reason) else ReleaseFailed)(said)

    def resume(self, context: Context, event: dict[str, Any] | None = None, **carried: Any) -> Any:
        """After a deferral: the same work again, with what was carried over it.

        It comes in the event, since `dag.test()` hands on nothing else.
        """
        return super().resume(context, event, **{**(event or {}).get("carried", {}), **carried})

    def job_tags(self, context: Context) -> list[dict[str, str]]:
        """The tags of a job, in the form of the service's `Tags`."""
        return tags.as_list(
            {**requests.base_tags(self.spec), tags.CREATED_BY: self.created_by(context)},
        )

    def still_there(self, job: Job) -> bool:
        """Whether what a completed job has made is there to be adopted; a job outlives its output."""
        return True

    def on_kill(self) -> None:
        """Stop the job that this run began. Airflow calls it while the task runs; see the trigger's, too."""
        if self._begun:
            self.log.info("stopping %s job %s", *self._begun)
            stop_job(self.hook.sagemaker, *self._begun)

    def _begin_or_adopt(
        self,
        context: Context,
        kind: JobKind,
        base: str,
        create: Callable[[str], Any],
        timeout_seconds: int,
        *,
        in_part: bool,
    ) -> str:
        for name in naming.successive(base):
            found = find_job(self.hook.sagemaker, kind, name)
            if found is not None and found.is_ending:
                found = self._await(context, kind, name, timeout_seconds)
            if found is None:
                self._create(kind, name, create)
                return name
            if found.phase == "completed" and not self.still_there(found):
                self.log.info("%s job %s has completed, and its output is gone", kind, name)
                continue
            if found.phase in {"in_progress", "completed"} or (in_part and self._is_spent(context, found)):
                self.log.info("adopted %s job %s, which is %s", kind, name, found.status)
                return name
            reason = self.without_secrets(found.reason or "")
            self.log.info("%s job %s has ended %s before: %s", kind, name, found.status, reason)
        raise ReleaseFailed(
            f"{kind} job {base} and every further one failed, was stopped or lost its output, "
            f"{naming.MOST_TRIES} in all; "
            "change its code, data or settings, and it gets a name of its own"
        )

    def _create(self, kind: JobKind, name: str, create: Callable[[str], Any]) -> None:
        try:
            # Whoever kills the task while the call is under way means the job as well.
            self._begun = (kind, name)
            create(name)
            self.log.info("began %s job %s", kind, name)
        except ClientError as error:
            if not errors.is_taken(error):
                raise
            # An answer was lost and botocore has called again, or another run was faster.
            self._begun = None
            self.log.info("adopted %s job %s: %s", kind, name, errors.message(error))

    def _await(
        self, context: Context, kind: JobKind, name: str, timeout_seconds: int, **carry: Any
    ) -> Job | None:
        """The job once it is over; None where it is gone. Defers, and carries `carry`, while it is not."""
        job: Job | None = None

        def over() -> bool:
            nonlocal job
            job = find_job(self.hook.sagemaker, kind, name)
            if job is None or job.phase != "in_progress":
                return True
            if self._begun is None and self._is_ours(context, job):
                self._begun = (kind, name)
            return False

        if not self.soon(over):
            self._defer_until_over(kind, name, timeout_seconds, carry)
        return job

    def _is_ours(self, context: Context, job: Job) -> bool:
        """Whether this run began the job."""
        return self.hook.tags_of(job.arn).get(tags.CREATED_BY) == self.created_by(context)

    def _is_spent(self, context: Context, job: Job) -> bool:
        """Whether this run's job has failed for good: another of the same content would fail as well."""
        failed = job.phase == "failed" and not errors.is_passing_reason(job.reason)
        return failed and self._is_ours(context, job)

    def _defer_until_over(
        self, kind: JobKind, name: str, timeout_seconds: int, carry: dict[str, Any]
    ) -> NoReturn:
        if self.expired:
            raise ReleaseFailed(
                f"{kind} job {name} is still in progress after {timeout_seconds} s and is left alone; "
                "clear this task to go on waiting for it"
            )
        self.defer(
            trigger=JobSettledTrigger(
                conn_id=self.spec.aws.conn_id,
                region=self.spec.aws.region,
                kind=kind,
                name=name,
                poll_seconds=self.spec.endpoint.wait.poll_seconds,
                deadline=time.time() + timeout_seconds,
                stop_on_kill=self._begun == (kind, name),
                carried=carry,
            ),
            method_name="resume",
            timeout=timedelta(seconds=timeout_seconds) + SLACK,
        )
