"""What every task of a release shares: its spec, its hook, its plan, and one policy for errors."""

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.sdk import Context
from airflow.sdk.log import redact  # type: ignore[attr-defined]  # its own import of it
from botocore.exceptions import BotoCoreError, ClientError

from endpoint_deploy.airflow_versions import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    DownstreamTasksSkipped,
    TaskDeferralTimeout,
)
from endpoint_deploy.aws import errors
from endpoint_deploy.aws.hook import EndpointHook
from endpoint_deploy.aws.ledger import Ledger
from endpoint_deploy.aws.lock import EndpointLock
from endpoint_deploy.aws.retrains import Retrains
from endpoint_deploy.core import naming, tags
from endpoint_deploy.core.approval import Decision, check_approved
from endpoint_deploy.core.candidate import Candidate
from endpoint_deploy.core.load import Deployment
from endpoint_deploy.core.observed import ObservedEndpoint, leads_to
from endpoint_deploy.core.outcome import TaskError
from endpoint_deploy.core.plan import Plan, VariantTarget
from endpoint_deploy.core.redact import without_secrets
from endpoint_deploy.core.settle import Settlement, settle
from endpoint_deploy.core.slots import empty_slots, why_idle
from endpoint_deploy.core.spec import DeploymentSpec
from endpoint_deploy.errors import (
    EndpointDeployError,
    NotAsPlanned,
    Refused,
    ReleaseFailed,
    TryAgain,
    hide_in,
)
from endpoint_deploy.links import object_url
from endpoint_deploy.proof import prove
from endpoint_deploy.run_context import holder_of, is_live_run, pull
from endpoint_deploy.task_links import DATA_DOCS, ON_EVERY_TASK, TaskLink
from endpoint_deploy.triggers.endpoint_settled import EndpointSettledTrigger

FAILURE = "failure"  # the XCom under which a task leaves its error for the ledger
SLACK = timedelta(seconds=60)  # a triggerer's, beyond the deadline that its trigger keeps itself
_LONGEST_MESSAGE = 2000  # of an error in XCom and ledger
_FINAL = (ClientError, BotoCoreError, ValueError, LookupError)  # unless they are passing
_LOOKS = 4
_LOOK_SECONDS = 1.0


class Kit:
    """A deployment's clients, made from its spec's connection and region."""

    def __init__(self, spec: DeploymentSpec, hook: EndpointHook) -> None:
        self.spec = spec
        self.hook = hook

    @property
    def ledger(self) -> Ledger:
        """The endpoint's ledger."""
        return Ledger(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)

    @property
    def retrains(self) -> Retrains:
        """The records of the endpoint's retrainings."""
        return Retrains(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)

    @property
    def lock(self) -> EndpointLock:
        """The endpoint's lock."""
        return EndpointLock(self.hook.s3, self.spec.aws.store, self.spec.endpoint_name)


class ReleaseTask(AwsBaseOperator[EndpointHook]):
    """A task of a release. A subclass writes `perform`, which must be safe to run again.

    It may be mixed in before one of the provider's operators; `config` is then the request's body, made when
    the task runs. Neither the spec nor a body is a template field, so that no environment value is rendered,
    logged or stored.
    """

    aws_hook_class = EndpointHook
    template_fields = ("aws_conn_id", "region_name", "verify")
    operator_extra_links: tuple[TaskLink, ...] = ON_EVERY_TASK

    def __init__(self, *, deployment: Deployment, **kwargs: Any) -> None:
        spec = deployment.spec
        kwargs.setdefault("aws_conn_id", spec.aws.conn_id)
        kwargs.setdefault("region_name", spec.aws.region)
        super().__init__(**kwargs)
        self.deployment = deployment
        self.expired = False

    @property
    def spec(self) -> DeploymentSpec:
        """The deployment's spec."""
        return self.deployment.spec

    @property
    def kit(self) -> Kit:
        """Ledger, records and lock on the task's own hook."""
        return Kit(self.spec, self.hook)

    @abstractmethod
    def perform(self, context: Context, *, resumed: bool = False, **carried: Any) -> Any:
        """Do the task's work; what it returns is its XCom.

        resumed: after a deferral; carried: what was given to `defer_until_settled` then.
        """

    def execute(self, context: Context) -> Any:
        """Run `perform` under the error policy."""
        return self._under_policy(context, lambda: self.perform(context))

    def resume(self, context: Context, event: dict[str, Any] | None = None, **carried: Any) -> Any:
        """After a deferral: the same work again, from what is live now."""

        def again() -> Any:
            # What has settled late has settled; only a further wait is one too many.
            self.expired = not (event or {}).get("settled")
            return self.perform(context, resumed=True, **carried)

        return self._under_policy(context, again)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """A triggerer that was down for longer than the wait counts as a wait that met its deadline."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except (TaskDeferralTimeout, AirflowSensorTimeout):
            return self.resume(context, {"settled": False})

    def soon(self, done: Callable[[], bool]) -> bool:
        """Look a few times before deferring: a deferral costs some three seconds even for nothing."""
        for attempt in range(_LOOKS):
            if attempt:
                time.sleep(min(_LOOK_SECONDS, self.spec.endpoint.wait.poll_seconds))
            if done():
                return True
        return False

    def settles_soon(self, done: Callable[[ObservedEndpoint | None], bool]) -> bool:
        """Whether the endpoint is as wanted within a few looks."""
        return self.soon(lambda: done(self.hook.find_endpoint(self.spec.endpoint_name)))

    def defer_until_settled(
        self,
        config: str | None = None,
        variants: tuple[VariantTarget, ...] = (),
        *,
        timeout_seconds: int | None = None,
        **carry: Any,
    ) -> NoReturn:
        """Free the worker until the endpoint is as given, or without a configuration, until it rests."""
        if self.expired:
            self._timed_out()
        wait = self.spec.endpoint.wait
        seconds = timeout_seconds or wait.timeout_seconds
        self.defer(
            trigger=EndpointSettledTrigger(
                conn_id=self.spec.aws.conn_id,
                region=self.spec.aws.region,
                endpoint=self.spec.endpoint_name,
                poll_seconds=wait.poll_seconds,
                deadline=time.time() + seconds,
                config=config,
                variants=[v.model_dump() for v in variants],
            ),
            method_name="resume",
            kwargs=carry,
            timeout=timedelta(seconds=seconds) + SLACK,
        )

    def await_settled(self, config: str, variants: tuple[VariantTarget, ...]) -> Settlement:
        """Return how a change ended; defers while it has not."""

        def ended(seen: ObservedEndpoint | None) -> bool:
            return settle(seen, config=config, variants=variants).phase != "in_progress"

        if not self.settles_soon(ended):
            self.defer_until_settled(config, variants)
        seen = self.hook.find_endpoint(self.spec.endpoint_name)
        return settle(seen, config=config, variants=variants)

    def plan_of(self, context: Context) -> Plan:
        """The run's plan; skips where there is none or where it leaves this task nothing to do."""
        found = pull(context, "plan")
        if found is None:
            raise AirflowSkipException("there is no plan: the release was refused before one was made")
        plan = Plan.model_validate(found)
        if why := why_idle(plan) or self.empty_slots(plan).get(self.task_id):
            raise AirflowSkipException(why)
        return plan

    def empty_slots(self, plan: Plan) -> dict[str, str]:
        """Which tasks of the run the plan leaves nothing to do, and why."""
        return empty_slots(plan, watch_seconds=self.spec.release.watch.seconds)

    def approved_plan_of(self, context: Context) -> Plan:
        """The run's plan, for a task that changes something; raises where it lacks a person's approval."""
        plan = self.plan_of(context)
        if self.spec.approval and not self.is_restore(context):
            found = pull(context, "approve")
            check_approved(plan, Decision.model_validate(found) if found else None)
        return plan

    def candidate_of(self, context: Context) -> Candidate:
        """The validated candidate of the run."""
        found = pull(context, "validate_artifact")
        if found is None:
            raise NotAsPlanned("the run has no validated artifact; clear from `validate_artifact`")
        return Candidate.model_validate(found["candidate"])

    def hold_lock(self, context: Context) -> None:
        """Take or keep the endpoint's lock for this run."""
        self.kit.lock.acquire(holder_of(context), is_live_run(context))

    def check_ours(self) -> None:
        """Raise NotAsPlanned where the endpoint was not made by this pipeline: only its own is deleted."""
        name = self.spec.endpoint_name
        if (found := self.hook.endpoint_tags(name)) is not None and not tags.ours(found, name):
            raise NotAsPlanned(
                f"endpoint {name} does not carry the tag {tags.ENDPOINT}: it was not made here and is not "
                "deleted; delete it by hand, or tag it"
            )

    def is_restore(self, context: Context) -> bool:
        """Whether this is the rollback DAG, whose candidate is an old release."""
        return pull(context, "plan", "restores") is not None

    def skip_where_final(self, plan: Plan, seen: ObservedEndpoint | None) -> None:
        """Skip where the release is past this task: cleared later, it must not take the endpoint back."""
        if plan.retire is not None and seen is not None and leads_to(seen, plan.retire.config):
            raise AirflowSkipException(f"{plan.endpoint} is already on the final {plan.retire.config}")

    def give_lock_back(self, context: Context) -> None:
        """Give the endpoint's lock back where this run holds it."""
        self.kit.lock.release(holder_of(context))

    def created_by(self, context: Context) -> str:
        """The run's key in the tags of what it makes."""
        holder = holder_of(context)
        return naming.run_key(holder.dag_id, holder.run_id)

    def _timed_out(self) -> NoReturn:
        seen = self.hook.find_endpoint(self.spec.endpoint_name)
        raise ReleaseFailed(
            f"endpoint {self.spec.endpoint_name} has not settled in time; it is "
            f"{seen.status if seen else 'gone'}. How long is set by endpoint.wait.timeout_seconds, "
            "and on the way back by rollback.timeout_seconds"
        )

    def _under_policy(self, context: Context, work: Any) -> Any:
        try:
            return work()
        except TryAgain as error:
            self._leave(context, error, passing=True)
            hide_in(error, self.without_secrets)
            raise
        except (AirflowSkipException, DownstreamTasksSkipped):
            raise
        except EndpointDeployError as error:
            self._leave(context, error, passing=False)
            raise AirflowFailException(self.without_secrets(str(error))) from None
        except Exception as error:
            passing = errors.is_passing(error) or not isinstance(error, _FINAL)
            self._leave(context, error, passing=passing)
            if not passing:
                kind = type(error).__name__
                raise AirflowFailException(f"{kind}: {self.without_secrets(str(error))}") from None
            hide_in(error, self.without_secrets)
            raise

    def _leave(self, context: Context, error: Exception, *, passing: bool) -> None:
        """Leave the error for the ledger: when the last try has failed, nobody else can tell it."""
        said = TaskError(
            message=self.without_secrets(str(error))[:_LONGEST_MESSAGE],
            passing=passing,
            refusal=isinstance(error, Refused),
            data_docs=getattr(error, "data_docs", None),
        )
        context["ti"].xcom_push(key=FAILURE, value=said.model_dump())
        self.link_data_docs(context, said.data_docs)

    def without_secrets(self, said: str) -> str:
        """The message without secrets: of environments, addresses, and connections that the task has used."""
        return str(redact(without_secrets(self.spec, said)))

    def prove(
        self, context: Context, variants: Sequence[str], *, docs_stage: str | None = None
    ) -> dict[str, Any]:
        """Prove that these variants serve. With a stage, Data Docs are kept under run and stage."""
        key = f"{self.spec.endpoint_name}/{self.created_by(context)}/{docs_stage}" if docs_stage else None
        proof = prove(self.hook, self.deployment, variants, docs_key=key)
        self.link_data_docs(context, next(iter(proof.data_docs), None))
        self.log.info("%d requests to %s answered as expected", proof.requests, ", ".join(proof.variants))
        found = proof.model_dump(mode="json")
        return found | {"suites": without_secrets(self.spec, found["suites"])}

    def link_data_docs(self, context: Context, uri: str | None) -> None:
        """Leave the link that Airflow shows on the task."""
        if uri:
            context["ti"].xcom_push(key=DATA_DOCS, value=object_url(self.hook.s3, uri))
