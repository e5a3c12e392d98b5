"""One training job being run: its instances from start to finish, however often they are lost."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Mapping

from local_sagemaker.faults.engine import Place
from local_sagemaker.faults.instances import NoCapacity
from local_sagemaker.jobs.container import Container, Outcome, log_path_of, run_to_end, runtime_limit
from local_sagemaker.jobs.kinds import TRAINING
from local_sagemaker.jobs.log_metrics import MetricReader
from local_sagemaker.jobs.run import JobFailed, JobInterrupted, JobRun, JobStopped
from local_sagemaker.jobs.script_mode import command, script_of
from local_sagemaker.jobs.training_files import environment_of
from local_sagemaker.jobs.training_inputs import checkpoints_of, prepare
from local_sagemaker.jobs.training_plan import OPT_ML, TrainingPlan
from local_sagemaker.jobs.training_results import failure_reason, upload_results
from local_sagemaker.s3.objects import S3Error

_CAPACITY_RETRY_SECONDS = 60.0
_LONGEST_SERIES = 1000  # values of a tuned job's objective that are kept for early stopping
NAMESPACE = TRAINING.log_group  # CloudWatch's namespace has the same name


class TrainingSession:
    """Runs a plan to its end. What must survive the server is in the job's `details`:

    outcome   how the programs ended, once they have; failure, why one of them failed
    ran       real seconds that programs have run, over all attempts
    idle      real seconds between an interruption and the next start, which are not billed
    retries   how often it was retried after an internal error
    metrics   name: [last value, when]; series, of a tuned job's objective, all values
    """

    def __init__(self, plan: TrainingPlan, run: JobRun, interrupted: asyncio.Event) -> None:
        self._plan = plan
        self._run = run
        self._tools = run.tools
        self._details = run.job.details
        self._interrupted = interrupted
        self._script = script_of(plan.hyperparameters, plan.environment) if not plan.entrypoint else None
        self._containers: list[Container] = []
        self._argv: list[str] = []

    async def run(self) -> None:
        """From start to finish; raises JobFailed or JobStopped."""
        outcome = await self._outcome()
        failure = self._details.get("failure")
        self._run.advance("Uploading", "Uploading generated training model")
        await upload_results(
            self._tools.s3, self._plan, self._containers, self._run.directory, with_model=failure is None
        )
        if failure is not None:
            raise JobFailed(failure)
        if outcome.ended_by == "limit":
            raise JobStopped("MaxRuntimeExceeded" if self._runtime_left() <= 0 else "MaxWaitTimeExceeded")
        if outcome.ended_by == "stop":
            raise JobStopped("Stopped")

    async def _outcome(self) -> Outcome:
        if self._run.resumed:
            self._containers = self._make_containers(at=0)
            if "outcome" in self._details:
                return Outcome(**self._details["outcome"])
            if self._run.stopping.is_set():
                return Outcome({}, "stop")
            self._recover(restarted=True)
        while True:
            outcome = await self._attempt()
            if outcome.ended_by != "interruption":
                self._note_outcome(outcome)
                return outcome
            self._recover()

    def _note_outcome(self, outcome: Outcome) -> None:
        """The programs have ended: from here on a killed server only has to upload."""
        self._details["outcome"] = {"statuses": outcome.statuses, "ended_by": outcome.ended_by}
        if outcome.ended_by == "itself" and outcome.failed:
            host, status = outcome.failed
            container = next(each for each in self._containers if each.host == host)
            self._details["failure"] = failure_reason(container, self._argv if self._script else None, status)
        if outcome.ended_by == "limit":
            self._run.job.status = "Stopping"
            self._run.advance("Stopping", "Stopping the training job")
        else:
            self._run.save()

    def _recover(self, *, restarted: bool = False) -> None:
        """What the job ran on is lost: go on to another attempt, or raise JobInterrupted.

        An interrupted spot job is started again, and after a restart of the server one that keeps
        checkpoints; another is, like any job that meets an internal error, only when it has retries left.
        One whose program had not been started has lost nothing.
        """
        self._interrupted.clear()
        if self._run.job.secondary in ("Starting", "Downloading"):
            return
        if self._plan.spot:
            self._details["interrupted_at"] = time.time()
            self._run.advance("Interrupted", "Spot instances were interrupted")
        elif self._details.get("retries", 0) < self._plan.retries:
            self._details["retries"] = self._details.get("retries", 0) + 1
        elif not (restarted and self._plan.checkpoints):
            raise JobInterrupted

    async def _attempt(self) -> Outcome:
        run, plan = self._run, self._plan
        run.job.attempts += 1
        run.advance("Starting", "Preparing the instances for training")
        await asyncio.to_thread(shutil.rmtree, run.directory, ignore_errors=True)
        self._containers = self._make_containers(at=int(time.time()))
        await run.finish_step(self._provision())
        self._note_start()
        if plan.channels or self._script:
            run.advance("Downloading", "Downloading input data")
        await run.finish_step(prepare(self._tools, plan, self._script, self._containers))
        run.advance("Training", "Training image download completed. Training in progress.")
        return await self._train()

    async def _provision(self) -> None:
        """Get the instances; a spot job waits for capacity as long as it may."""
        while True:
            try:
                for number in range(len(self._plan.hosts)):
                    await self._tools.instances.before_start(self._place(number))
                break
            except NoCapacity as error:
                if not self._plan.spot:
                    raise JobFailed(str(error)) from error
                self._run.advance(
                    "Starting", "Insufficient capacity error from EC2 while launching instances, retrying!"
                )
                await self._tools.clock.sleep(_CAPACITY_RETRY_SECONDS)
            if self._time_left() <= 0:
                raise JobStopped("MaxWaitTimeExceeded")
        await self._tools.clock.sleep(self._tools.settings.provision_seconds)

    def _place(self, number: int) -> Place:
        return Place(
            kind=TRAINING.arn_kind,
            name=self._plan.name,
            instance_type=self._plan.instance_type,
            index=number,
        )

    def _note_start(self) -> None:
        if self._run.job.started is None:
            self._run.job.started = self._tools.clock.now()
        lost = self._details.pop("interrupted_at", None)
        if lost is not None:
            self._details["idle"] = self._details.get("idle", 0.0) + time.time() - lost

    def _make_containers(self, at: int) -> list[Container]:
        logs = self._tools.logs_dir / "training-job" / self._run.job.name
        return [
            Container(host, self._run.directory / host, log_path_of(logs, host, at))
            for host in self._plan.hosts
        ]

    async def _train(self) -> Outcome:
        credentials = await self._tools.credentials(self._plan.role_arn)
        for container in self._containers:
            stream = f"{self._plan.name}/{container.log_path.stem}"
            self._tools.logs.follow(NAMESPACE, stream, container.log_path)
        begun = time.monotonic()
        interruption = self._plan_interruption()
        try:
            async with self._watched():
                for container in self._containers:
                    await self._start(container, credentials)
                return await run_to_end(
                    self._containers,
                    self._tools.clock,
                    self._run.stopping,
                    self._time_left(),
                    self._interrupted,
                )
        finally:
            if interruption:
                interruption.cancel()
            self._details["ran"] = self._details.get("ran", 0.0) + time.monotonic() - begun
            await asyncio.gather(*(container.kill() for container in self._containers))
            await asyncio.gather(*(self._tools.logs.finish(each.log_path) for each in self._containers))

    def _plan_interruption(self) -> asyncio.TimerHandle | None:
        """The interruption that a fault rule has for this run, if any."""
        after = self._tools.instances.of_spot_run(self._plan.name) if self._plan.spot else None
        loop = asyncio.get_running_loop()
        return None if after is None else loop.call_later(after, self._interrupted.set)

    async def _start(self, container: Container, credentials: Mapping[str, str]) -> None:
        plan = self._plan
        if self._script:
            values = command(self._script, plan, container.ml / "code")
            cwd = f"{OPT_ML}/code"
        else:
            values = [*(plan.entrypoint or ()), *plan.arguments]
            cwd = OPT_ML
        self._argv = values
        environment = environment_of(plan, self._script, container.host, credentials)
        await container.start(
            values, environment, cwd, replaced={"/etc/hosts": container.directory / "hosts"}
        )

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Metrics are read and checkpoints copied while the block runs, and once more after it."""
        reader = MetricReader(
            self._run.request["AlgorithmSpecification"].get("MetricDefinitions", []),
            [container.log_path for container in self._containers],
            self._found_metric,
        )
        checkpoints = checkpoints_of(self._tools.s3, self._plan, self._containers)
        tasks = [asyncio.create_task(reader.read_for_ever())]
        if checkpoints:
            tasks.append(asyncio.create_task(checkpoints.copy_for_ever()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        reader.read(to_the_end=True)
        if checkpoints:
            try:
                await checkpoints.copy_rest()
            except (S3Error, OSError) as error:
                raise JobFailed(f"ClientError: Failed to upload checkpoints: {error}") from error

    def _found_metric(self, name: str, value: float) -> None:
        now = self._tools.clock.now()
        self._details.setdefault("metrics", {})[name] = [value, now]
        if name == self._details.get("tuned", {}).get("metric"):
            self._details["series"] = [*self._details.get("series", []), value][:_LONGEST_SERIES]
        self._tools.metrics.put(NAMESPACE, name, {"TrainingJobName": self._plan.name}, value, at=now)

    def _runtime_left(self) -> float:
        limit = runtime_limit(self._tools.clock, self._plan.max_runtime)
        return limit - float(self._details.get("ran", 0.0))

    def _time_left(self) -> float:
        """Real seconds until the nearer of the two limits."""
        left = self._runtime_left()
        if self._plan.max_wait is None:
            return left
        since = time.time() - self._run.job.created
        return min(left, runtime_limit(self._tools.clock, self._plan.max_wait) - since)
