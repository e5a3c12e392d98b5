"""The amazon provider's own chain, as its documentation has it: one DAG to create, one to update."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerEndpointSensor
from airflow.sdk import DAG, Param

NAME = "{{ params.endpoint }}-{{ params.release }}"
ENDPOINT = "{{ params.endpoint }}"


def stock_chain(operation: str) -> DAG:
    """Model, endpoint configuration, endpoint, sensor; `operation` is the endpoint operator's."""
    params: dict[str, Any] = {
        key: Param(type="string") for key in ("endpoint", "release", "artifact", "image", "role")
    }
    with DAG(f"stock__{operation}", schedule=None, params=params) as dag:
        create_model = SageMakerModelOperator(
            task_id="create_model",
            config={
                "ModelName": NAME,
                "ExecutionRoleArn": "{{ params.role }}",
                "PrimaryContainer": {
                    "Image": "{{ params.image }}",
                    "ModelDataUrl": "{{ params.artifact }}",
                },
            },
        )
        create_endpoint_config = SageMakerEndpointConfigOperator(
            task_id="create_endpoint_config",
            config={
                "EndpointConfigName": NAME,
                "ProductionVariants": [
                    {
                        "VariantName": "primary",
                        "ModelName": NAME,
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": 1,
                    }
                ],
            },
        )
        deploy_endpoint = SageMakerEndpointOperator(
            task_id="deploy_endpoint",
            config={"EndpointName": ENDPOINT, "EndpointConfigName": NAME},
            operation=operation,
            check_interval=1,
        )
        await_endpoint = SageMakerEndpointSensor(
            task_id="await_endpoint", endpoint_name=ENDPOINT, poke_interval=1
        )
        create_model >> create_endpoint_config >> deploy_endpoint >> await_endpoint
    return dag


created = stock_chain("create")
updated = stock_chain("update")
