"""Jobs that succeed, fail, or go on until they are stopped: each maker takes a world and one of these."""

from tests.local_sagemaker.trainer import source_archive

# One line: an entry point's members hold no line breaks.
WORK = "import sys, time; do = sys.argv[1]; time.sleep(600 if do == 'wait' else 0); sys.exit(do == 'fail')"


def training(world, do):
    """A training job whose program is in its own command line."""
    name = world.name("Job")
    world.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=world.role,
        AlgorithmSpecification={
            "TrainingImage": "image:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", WORK, do],
        },
        OutputDataConfig={"S3OutputPath": f"s3://{world.BUCKET}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    return name


def processing(world, do):
    """A processing job that runs the same program."""
    name = world.name("Job")
    world.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=world.role,
        AppSpecification={"ImageUri": "image:1", "ContainerEntrypoint": ["python3", "-c", WORK, do]},
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    )
    return name


def transform(world, do):
    """A transform job over one row, by a model that succeeds, fails, or sleeps for what it is sent."""
    name = world.name("Job")
    model = world.model({"succeed": "echo", "fail": "raises", "wait": "slow"}[do])
    world.s3.put_object(Bucket=world.BUCKET, Key=f"{name}/rows.csv", Body=b"600")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{world.BUCKET}/{name}/"}
    world.sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{world.BUCKET}/{name}-out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    return name


def tuning(world):
    """A tuning job of one training job, which succeeds."""
    name = world.name("Tune")
    script = world.name("source")
    source = source_archive(train__py="print('loss=0.5;', flush=True)")
    world.s3.put_object(Bucket=world.BUCKET, Key=script, Body=source)
    world.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0.1", "MaxValue": "0.9"}]
            },
        },
        TrainingJobDefinition={
            "RoleArn": world.role,
            "StaticHyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": f'"s3://{world.BUCKET}/{script}"',
            },
            "AlgorithmSpecification": {
                "TrainingImage": "image:1",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*?);"}],
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{world.BUCKET}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
    )
    return name


JOBS = {"training": training, "processing": processing, "transform": transform}
