"""CreateModel, held to what its execution role may read (error 10 of the service)."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from local_sagemaker.api.errors import model_data_inaccessible
from local_sagemaker.hosting.catalog import Catalog
from local_sagemaker.iam.policies import Need, refusal, verdict
from local_sagemaker.iam.principals import Principals, Role
from local_sagemaker.s3.mirror import S3Mirror, split_uri

Request = dict[str, Any]


def guarded_model(
    principals: Principals | None,
    mirror: S3Mirror,
    models: Catalog,
    region: str,
    package_containers: Callable[[str], list[Request]],
) -> dict[str, Callable[[Request], Awaitable[dict[str, Any]]]]:
    """CreateModel that looks at the role first, unless the name is taken, which is refused before all.

    Nothing where IAM is not enforced (`principals` None).
    """
    if principals is None:
        return {}

    async def create(request: Request) -> dict[str, Any]:
        if models.find(request["ModelName"]) is None:
            role_arn = request.get("ExecutionRoleArn", "")
            for uri in _model_data(request, package_containers):
                if not await _may_read(principals, mirror, uri, role_arn):
                    raise model_data_inaccessible(uri, role_arn, region)
        return models.create(request)

    return {"CreateModel": create}


async def _may_read(principals: Principals, mirror: S3Mirror, uri: str, role_arn: str) -> bool:
    """Whether the role is there, trusts SageMaker, and may read the object."""
    place = split_uri(uri)
    if place is None or mirror.bucket_region(place[0]) is None:
        return True  # what is not there is refused as such
    role = await principals.role(role_arn)
    if role is None or not trusts_sagemaker(role, role_arn):
        return False
    reading = Need("s3:GetObject", f"arn:aws:s3:::{'/'.join(place)}", {"aws:PrincipalArn": [role_arn]})
    return refusal(role.grants, reading) is None


def trusts_sagemaker(role: Role, arn: str) -> bool:
    """Whether the role lets SageMaker take it on, for this account."""
    assuming = Need("sts:AssumeRole", arn, {"aws:SourceAccount": [arn.split(":")[4]]})
    return verdict([role.trust], assuming, "sagemaker.amazonaws.com") == "allow"


def _model_data(request: Request, package_containers: Callable[[str], list[Request]]) -> Iterator[str]:
    declared = [request.get("PrimaryContainer", {}), *request.get("Containers", [])]
    packages = [one["ModelPackageName"] for one in declared if "ModelPackageName" in one]
    packaged = [container for package in packages for container in package_containers(package)]
    for container in [*declared, *packaged]:
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        uri = source.get("S3Uri", container.get("ModelDataUrl"))
        if uri:
            yield uri
