"""Jobs, held to roles that SageMaker may take on."""

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any

from local_sagemaker.api.control import Operation
from local_sagemaker.api.errors import invalid
from local_sagemaker.hosting.catalog import Catalog
from local_sagemaker.iam.model_access import trusts_sagemaker
from local_sagemaker.iam.principals import Principals
from local_sagemaker.jobs.tuning_plan import definitions_of

Request = dict[str, Any]


def guarded_jobs(
    principals: Principals | None, operations: Mapping[str, Operation], models: Catalog
) -> dict[str, Operation]:
    """The creates of jobs among the operations, which look at the job's roles first.

    A transform job's role is its model's. Nothing where IAM is not enforced (`principals` None).
    """
    if principals is None:
        return {}

    def of_model(request: Request) -> list[str]:
        model = models.find(request["ModelName"])
        return [model.request["ExecutionRoleArn"]] if model and "ExecutionRoleArn" in model.request else []

    roles: dict[str, Callable[[Request], list[str]]] = {
        "CreateTrainingJob": lambda request: [request["RoleArn"]],
        "CreateProcessingJob": lambda request: [request["RoleArn"]],
        "CreateTransformJob": of_model,
        "CreateHyperParameterTuningJob": lambda request: [
            definition["RoleArn"] for definition in definitions_of(request)
        ],
    }
    return {name: _guarded(operations[name], of, principals) for name, of in roles.items()}


def _guarded(
    operation: Operation, roles: Callable[[Request], list[str]], principals: Principals
) -> Operation:
    async def create(request: Request) -> dict[str, Any]:
        for arn in roles(request):
            role = await principals.role(arn)
            if role is None or not trusts_sagemaker(role, arn):
                raise invalid(
                    f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
                    "'sagemaker.amazonaws.com' to assume the role."
                )
        answer = operation(request)
        return await answer if isawaitable(answer) else answer

    return create
