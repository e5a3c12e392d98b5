"""The amazon provider's operators and sensors for jobs, as its documentation has them, one after another."""

from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerDeleteModelOperator,
    SageMakerProcessingOperator,
    SageMakerRegisterModelVersionOperator,
    SageMakerTrainingOperator,
    SageMakerTransformOperator,
    SageMakerTuningOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import (
    SageMakerProcessingSensor,
    SageMakerTrainingSensor,
    SageMakerTransformSensor,
    SageMakerTuningSensor,
)
from airflow.sdk import DAG, Param

NAME = "{{ params.name }}"
OUTPUT = "{{ params.prefix }}/output"
PROCESSING = "/opt/ml/processing"
# Numbers as text: Airflow's templates give nothing else, and the operators make numbers of these.
ONE_INSTANCE = {"InstanceCount": "1", "InstanceType": "ml.m5.large", "VolumeSizeInGB": "1"}
TRAINING: dict[str, Any] = {
    "AlgorithmSpecification": {
        "TrainingImage": "{{ params.image }}",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
    },
    "RoleArn": "{{ params.role }}",
    # The tuning operator's check of S3 addresses wants channels, which the service does not.
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "{{ params.prefix }}/rows.jsonl"}
            },
        }
    ],
    "OutputDataConfig": {"S3OutputPath": OUTPUT},
    "ResourceConfig": ONE_INSTANCE,
    "StoppingCondition": {"MaxRuntimeInSeconds": "3600"},
}
SCRIPT = {
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"{{ params.prefix }}/sourcedir.tar.gz"',
}


def processing() -> dict[str, Any]:
    """CreateProcessingJob: run a script over nothing but itself."""
    code = {"LocalPath": f"{PROCESSING}/input/code", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    result = {"S3Uri": f"{OUTPUT}/processed", "LocalPath": f"{PROCESSING}/output", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": NAME,
        "RoleArn": "{{ params.role }}",
        "AppSpecification": {
            "ImageUri": "{{ params.image }}",
            "ContainerEntrypoint": ["python3", f"{PROCESSING}/input/code/process.py"],
        },
        "ProcessingInputs": [
            {"InputName": "code", "S3Input": {"S3Uri": "{{ params.prefix }}/process.py", **code}}
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": result}]},
        "ProcessingResources": {"ClusterConfig": ONE_INSTANCE},
    }


def tuning() -> dict[str, Any]:
    """CreateHyperParameterTuningJob: two training jobs at rates of the tuner's own choice."""
    return {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": "2", "MaxParallelTrainingJobs": "2"},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0.1", "MaxValue": "0.9"}]
            },
        },
        "TrainingJobDefinition": {**TRAINING, "StaticHyperParameters": SCRIPT},
    }


def transform() -> dict[str, Any]:
    """CreateModel and CreateTransformJob: the model over the lines of one object."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "{{ params.prefix }}/rows.jsonl"}}
    return {
        "Model": {
            "ModelName": NAME,
            "ExecutionRoleArn": "{{ params.role }}",
            "PrimaryContainer": {"Image": "{{ params.image }}", "ModelDataUrl": "{{ params.artifact }}"},
        },
        "Transform": {
            "TransformJobName": NAME,
            "ModelName": NAME,
            "MaxPayloadInMB": "1",
            "MaxConcurrentTransforms": "2",
            "BatchStrategy": "SingleRecord",
            "TransformInput": {
                "DataSource": source,
                "ContentType": "application/json",
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": f"{OUTPUT}/transformed",
                "Accept": "application/json",
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceCount": "1", "InstanceType": "ml.m5.large"},
        },
    }


params = {key: Param(type="string") for key in ("name", "prefix", "artifact", "image", "role")}

with DAG("stock__jobs", schedule=None, params=params):
    process = SageMakerProcessingOperator(
        task_id="process",
        config=processing(),
        check_interval=1,
        output_files_to_xcom=[{"output_name": "result", "file_name": "report.json", "result_name": "Report"}],
    )
    train = SageMakerTrainingOperator(
        task_id="train",
        config={"TrainingJobName": NAME, **TRAINING, "HyperParameters": {**SCRIPT, "rate": "0.25"}},
        check_interval=1,
    )
    # The name is taken by now: the operator finds that, and adds the time to it.
    retrain = SageMakerTrainingOperator(
        task_id="retrain",
        config={"TrainingJobName": NAME, **TRAINING, "HyperParameters": {**SCRIPT, "rate": "0.75"}},
        action_if_job_exists="timestamp",
        print_log=False,
        check_interval=1,
    )
    tune = SageMakerTuningOperator(task_id="tune", config=tuning(), check_interval=1)
    predict = SageMakerTransformOperator(task_id="predict", config=transform(), check_interval=1)
    register = SageMakerRegisterModelVersionOperator(
        task_id="register",
        image_uri="{{ params.image }}",
        model_url="{{ ti.xcom_pull('train')['Training']['ModelArtifacts']['S3ModelArtifacts'] }}",
        package_group_name=NAME,
    )
    delete = SageMakerDeleteModelOperator(task_id="delete", config={"ModelName": NAME})
    sensors = {"mode": "poke", "poke_interval": 1}
    process >> SageMakerProcessingSensor(task_id="processed", job_name=NAME, **sensors) >> train
    train >> SageMakerTrainingSensor(task_id="trained", job_name=NAME, **sensors) >> [retrain, register]
    retrain >> tune
    tune >> SageMakerTuningSensor(task_id="tuned", job_name=NAME, **sensors) >> predict
    predict >> SageMakerTransformSensor(task_id="predicted", job_name=NAME, **sensors) >> delete
