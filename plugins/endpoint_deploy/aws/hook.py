"""The one door to AWS: thin, one method per call, errors told apart."""

import sys
from collections.abc import Mapping
from functools import cached_property
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import create_loader

from endpoint_deploy.aws import errors
from endpoint_deploy.core import tags
from endpoint_deploy.core.observed import ObservedConfig, ObservedEndpoint, config_view, endpoint_view
from endpoint_deploy.errors import Conflict, TryAgain

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# What botocore parses of the services' models, once a process.
_MODELS = create_loader()

# The service itself gives a container 60 s (InvokeEndpoint's guide); a retry would hide a failed request.
# A replay sends as many requests at a time as a spec may ask for.
_INVOKE = Config(read_timeout=65, retries={"max_attempts": 0}, max_pool_connections=32)


class EndpointHook(SageMakerHook):
    """SageMaker hosting with every other client on the same connection, region, verify and config.

    The provider's hook drops region, verify and config for the hooks it makes inside (S3, Logs); here each
    client is made from all four.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # Airflow's has no annotations

    def _get_caller(self, target_function_name: str = "execute") -> str:
        """The operator at work, which the provider's hooks name in each request's User-Agent.

        The provider asks `inspect.stack`, which looks for the source of every frame among all modules:
        0.2 s for each client.
        """
        names, frame = {target_function_name, "resume_execution"}, cast("FrameType | None", sys._getframe())
        while frame is not None:
            if frame.f_code.co_name in names and "self" in frame.f_locals:
                return type(frame.f_locals["self"]).__name__
            frame = frame.f_back
        return "Unknown"

    def sibling(self, service: str, config: Config | None = None) -> Any:
        """A client of any service on this hook's connection, region, verify and config."""
        return self._shared_session.client(
            service_name=service,
            endpoint_url=self.conn_config.get_service_endpoint_url(service_name=service),
            config=self._get_config(self.config.merge(config) if config else None),
            verify=self.verify,
        )

    @cached_property
    def _shared_session(self) -> Any:
        session: Any = self.get_session()
        # Each session would parse endpoints.json and the services' models anew: half a second a client.
        session._session.register_component("data_loader", _MODELS)
        return session

    @cached_property
    def sagemaker(self) -> Any:
        """SageMaker's control plane."""
        return self.sibling("sagemaker")

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return cast("S3Client", self.sibling("s3"))

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return cast("CloudWatchClient", self.sibling("cloudwatch"))

    @cached_property
    def runtime(self) -> "SageMakerRuntimeClient":
        """InvokeEndpoint, without retries."""
        return cast("SageMakerRuntimeClient", self.sibling("sagemaker-runtime", _INVOKE))

    def find_endpoint(self, name: str) -> ObservedEndpoint | None:
        """DescribeEndpoint; None where there is none."""
        try:
            return endpoint_view(self.sagemaker.describe_endpoint(EndpointName=name))
        except ClientError as error:
            if errors.is_absent(error):
                return None
            raise

    def find_config(self, name: str) -> ObservedConfig | None:
        """DescribeEndpointConfig with its tags; None where there is none."""
        try:
            answer = self.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        except ClientError as error:
            if errors.is_absent(error):
                return None
            raise
        return config_view(answer, self.tags_of(answer["EndpointConfigArn"]))

    def find_model(self, name: str) -> dict[str, Any] | None:
        """DescribeModel; None where there is none."""
        try:
            return dict(self.sagemaker.describe_model(ModelName=name))
        except ClientError as error:
            if errors.is_absent(error):
                return None
            raise

    def tags_of(self, arn: str) -> dict[str, str]:
        """ListTags, all pages."""
        pages = self.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return tags.as_dict([tag for page in pages for tag in page["Tags"]])

    def endpoint_tags(self, name: str) -> dict[str, str] | None:
        """The endpoint's tags; None where there is no endpoint."""
        try:
            return self.tags_of(self.sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"])
        except ClientError as error:
            if errors.is_absent(error):
                return None
            raise

    def ensure_model(self, body: dict[str, Any], its_tags: dict[str, str]) -> bool:
        """CreateModel, or adopt the identical one that exists. Returns whether it was created.

        Raises Conflict where a model of that name is another one.
        """
        name = body["ModelName"]
        if self._create(self.sagemaker.create_model, body, its_tags):
            return True
        found = self.find_model(name) or {}
        _same_or_conflict(f"model {name}", body, found)
        return False

    def ensure_config(self, body: dict[str, Any], its_tags: dict[str, str]) -> bool:
        """CreateEndpointConfig, or adopt the identical one. Returns whether it was created."""
        name = body["EndpointConfigName"]
        if self._create(self.sagemaker.create_endpoint_config, body, its_tags):
            return True
        found = self.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        _same_or_conflict(f"endpoint configuration {name}", body, found)
        return False

    def create_on(self, endpoint: str, config: str, its_tags: dict[str, str]) -> None:
        """CreateEndpoint."""
        try:
            self.sagemaker.create_endpoint(
                EndpointName=endpoint, EndpointConfigName=config, Tags=tags.as_list(its_tags)
            )
        except ClientError as error:
            _not_yet_visible(error)
            raise

    def update_to(
        self,
        endpoint: str,
        config: str,
        *,
        retain: tuple[str, ...] | None,
        deployment: Mapping[str, Any] | None = None,
    ) -> None:
        """UpdateEndpoint; `retain` excludes these properties from RetainAllVariantProperties.

        deployment: the request's DeploymentConfig, where there is one.
        """
        body: dict[str, Any] = {"EndpointName": endpoint, "EndpointConfigName": config}
        if retain is not None:
            body["RetainAllVariantProperties"] = True
            body["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": kind} for kind in retain]
        if deployment:
            body["DeploymentConfig"] = deployment
        try:
            self.sagemaker.update_endpoint(**body)
        except ClientError as error:
            _not_yet_visible(error)
            raise

    def set_weights(
        self, endpoint: str, weights: Mapping[str, float], counts: Mapping[str, int] | None = None
    ) -> None:
        """UpdateEndpointWeightsAndCapacities for every variant at once."""
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=[
                {"VariantName": name, "DesiredWeight": weight}
                | ({"DesiredInstanceCount": counts[name]} if counts and name in counts else {})
                for name, weight in weights.items()
            ],
        )

    def delete_endpoint_if_there(self, name: str) -> bool:
        """DeleteEndpoint; False where there was none."""
        return self._delete(self.sagemaker.delete_endpoint, EndpointName=name)

    def delete_config_if_there(self, name: str) -> bool:
        """DeleteEndpointConfig; False where there was none."""
        return self._delete(self.sagemaker.delete_endpoint_config, EndpointConfigName=name)

    def delete_model_if_there(self, name: str) -> bool:
        """DeleteModel; False where there was none."""
        return self._delete(self.sagemaker.delete_model, ModelName=name)

    def alarm_states(self, names: tuple[str, ...]) -> dict[str, str]:
        """DescribeAlarms: state by name, of metric and composite alarms; absent where there is none."""
        if not names:
            return {}
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return {
            str(alarm["AlarmName"]): str(alarm["StateValue"])
            for page in pages
            for kind in ("MetricAlarms", "CompositeAlarms")
            for alarm in cast("list[dict[str, str]]", page.get(kind, []))
        }

    def _create(self, call: Any, body: dict[str, Any], its_tags: dict[str, str]) -> bool:
        try:
            call(**body, Tags=tags.as_list(its_tags))
        except ClientError as error:
            if errors.is_taken(error):
                return False
            _not_yet_visible(error)
            raise
        return True

    def _delete(self, call: Any, **name: str) -> bool:
        try:
            call(**name)
        except ClientError as error:
            if errors.is_absent(error):
                return False
            raise
        return True


def _not_yet_visible(error: ClientError) -> None:
    """What was made a moment ago may not be visible yet: CreateEndpoint's reference asks to try again."""
    if errors.is_absent(error):
        raise TryAgain(errors.message(error)) from error


def _same_or_conflict(what: str, wanted: Any, found: Any) -> None:
    """What was asked for must be contained in what exists; the service adds defaults of its own."""
    different = sorted(_differing(wanted, found, ""))
    if different:
        raise Conflict(
            f"{what} exists and differs in {', '.join(different)}; it is not overwritten. "
            "Names end in a digest of their content, so somebody made it by hand: delete it, or rename it"
        )


def _differing(wanted: Any, found: Any, path: str) -> set[str]:
    """Paths only: a value may be secret."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return set().union(
            *(_differing(value, found.get(key), f"{path}.{key}".lstrip(".")) for key, value in wanted.items())
        )
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return set().union(
            *(_differing(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(wanted, found, strict=True)))
        )
    if isinstance(wanted, float) and isinstance(found, (int, float)):
        return set() if abs(wanted - found) <= 1e-5 * max(abs(wanted), 1.0) else {path}
    return set() if wanted == found else {path}
