"""The amazon provider's own operators for batch work: a processing job, then a transform over its output."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerTransformOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import (
    SageMakerProcessingSensor,
    SageMakerTransformSensor,
)
from airflow.sdk import DAG, Param

RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": "{{ params.instances }}"}
PREPARED = "{{ params.prefix }}/prepared"

with DAG(
    "stock__batch",
    schedule=None,
    params={
        **{key: Param(type="string") for key in ("name", "prefix", "artifact", "image", "role")},
        "instances": 1,
    },
) as dag:
    prepare = SageMakerProcessingOperator(
        task_id="prepare",
        config={
            "ProcessingJobName": "{{ params.name }}-prepare",
            "RoleArn": "{{ params.role }}",
            "AppSpecification": {
                "ImageUri": "{{ params.image }}",
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/prepare.py"],
            },
            "ProcessingInputs": [
                {
                    "InputName": name,
                    "S3Input": {
                        "S3Uri": f"{{{{ params.prefix }}}}/{name}/",
                        "LocalPath": f"/opt/ml/processing/input/{name}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for name in ("code", "data")
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "prepared",
                        "S3Output": {
                            "S3Uri": PREPARED,
                            "LocalPath": "/opt/ml/processing/prepared",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            # The operator's templates make numbers of these.
            "ProcessingResources": {"ClusterConfig": {**RESOURCES, "VolumeSizeInGB": "1"}},
        },
        check_interval=1,
    )
    transform_config: dict[str, Any] = {
        "TransformJobName": "{{ params.name }}-transform",
        "ModelName": "{{ params.name }}",
        "BatchStrategy": "SingleRecord",
        "MaxConcurrentTransforms": "2",
        "MaxPayloadInMB": "1",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": PREPARED}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": "{{ params.prefix }}/predicted",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "TransformResources": RESOURCES,
    }
    transform = SageMakerTransformOperator(
        task_id="transform",
        config={
            "Model": {
                "ModelName": "{{ params.name }}",
                "ExecutionRoleArn": "{{ params.role }}",
                "PrimaryContainer": {"Image": "{{ params.image }}", "ModelDataUrl": "{{ params.artifact }}"},
            },
            "Transform": transform_config,
        },
        wait_for_completion=False,
        check_interval=1,
    )
    await_transform = SageMakerTransformSensor(
        task_id="await_transform",
        job_name="{{ ti.xcom_pull('transform')['Transform']['TransformJobName'] }}",
        poke_interval=1,
    )
    await_prepare = SageMakerProcessingSensor(
        task_id="await_prepare",
        job_name="{{ ti.xcom_pull('prepare')['Processing']['ProcessingJobName'] }}",
        poke_interval=1,
    )
    prepare >> await_prepare >> transform >> await_transform
