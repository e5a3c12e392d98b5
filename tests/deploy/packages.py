"""Model packages that people and other pipelines register, and the asset events that Airflow has stored."""

from dataclasses import dataclass
from typing import Any

from tests.deploy.rig import Rig

IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@dataclass
class Group:
    """The model package group that the rig's spec names."""

    rig: Rig
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or f"{self.rig.name}-models"

    def register(self, artifact: str, status: str = "Approved", **metadata: str) -> str:
        """A package of this artifact, as somebody else than the pipeline registers it; its ARN."""
        sagemaker = self.rig.sagemaker
        named = [g["ModelPackageGroupName"] for g in self._groups()]
        if self.name not in named:
            sagemaker.create_model_package_group(ModelPackageGroupName=self.name)
        made = sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": artifact}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            **({"CustomerMetadataProperties": metadata} if metadata else {}),
        )
        return str(made["ModelPackageArn"])

    def set_status(self, arn: str, status: str, said: str = "") -> None:
        self.rig.sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=said
        )

    def packages(self) -> list[dict[str, Any]]:
        """Every package as DescribeModelPackage shows it, the oldest first."""
        sagemaker = self.rig.sagemaker
        if self.name not in [g["ModelPackageGroupName"] for g in self._groups()]:
            return []
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self.name)
        return [
            sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
            for page in pages
            for summary in page["ModelPackageSummaryList"]
        ]

    def _groups(self) -> list[dict[str, Any]]:
        found = self.rig.sagemaker.list_model_package_groups(NameContains=self.name)
        return list(found["ModelPackageGroupSummaryList"])


def published(asset: str) -> list[dict[str, Any]]:
    """What was published of the asset of this name: the events' `extra`, the oldest first."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        events = session.scalars(
            select(AssetEvent)
            .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            .where(AssetModel.name == asset)
            .order_by(AssetEvent.id)
        )
        return [dict(event.extra) for event in events]
