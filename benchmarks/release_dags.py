"""The amazon provider's plain chain, as a DAG to measure against: model, configuration, endpoint, sensor.

Its parameters are what ours works out by itself. It validates, proves, records and rolls back nothing.
"""

from datetime import UTC, datetime

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerEndpointSensor
from airflow.sdk import DAG, Param

with DAG(
    dag_id="plain_chain",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    schedule=None,
    catchup=False,
    max_active_runs=64,
    params={
        "name": Param(type="string"),
        "endpoint": Param(type="string"),
        "artifact": Param(type="string"),
        "image": Param(type="string"),
        "role": Param(type="string"),
    },
):
    model = SageMakerModelOperator(
        task_id="model",
        config={
            "ModelName": "{{ params.name }}",
            "ExecutionRoleArn": "{{ params.role }}",
            "PrimaryContainer": {"Image": "{{ params.image }}", "ModelDataUrl": "{{ params.artifact }}"},
        },
    )
    config = SageMakerEndpointConfigOperator(
        task_id="config",
        config={
            "EndpointConfigName": "{{ params.name }}",
            "ProductionVariants": [
                {
                    "VariantName": "main",
                    "ModelName": "{{ params.name }}",
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
        },
    )
    # Creates it, or updates it where it is there.
    endpoint = SageMakerEndpointOperator(
        task_id="endpoint",
        wait_for_completion=False,
        config={"EndpointName": "{{ params.endpoint }}", "EndpointConfigName": "{{ params.name }}"},
    )
    # Its default of 60 s would be what is measured.
    sensor = SageMakerEndpointSensor(
        task_id="sensor", endpoint_name="{{ params.endpoint }}", poke_interval=0.5
    )
    model >> config >> endpoint >> sensor
