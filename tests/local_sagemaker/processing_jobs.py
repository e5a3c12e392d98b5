"""Processing jobs as tests begin and look at them."""

import textwrap

from tests.local_sagemaker.bucket_jobs import BucketJobs

SCRIPT = "/opt/ml/processing/input/code/script.py"


class Processing(BucketJobs):
    """Processing jobs of one server."""

    kind = "Processing"

    def put(self, files):
        """Upload under a new prefix; returns its address."""
        return f"s3://{self.bucket}/{super().put(files)}"

    def source(self, name, uri, **members):
        return {
            "InputName": name,
            "S3Input": {
                "S3Uri": uri,
                "LocalPath": f"/opt/ml/processing/input/{name}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                **members,
            },
        }

    def request(self, script, inputs=(), *, arguments=(), count=1, mode="EndOfJob", **members):
        """A create request for a job that runs `script` with an output directory named "out"."""
        name = self.world.name("Job")
        code = self.put({"script.py": textwrap.dedent(script)})
        app = {"ImageUri": "python:3", "ContainerEntrypoint": ["python3", SCRIPT]}
        if arguments:
            app["ContainerArguments"] = list(arguments)
        output = {
            "S3Uri": f"s3://{self.bucket}/{name}-out",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": mode,
        }
        return {
            "ProcessingJobName": name,
            "RoleArn": self.world.role,
            "AppSpecification": app,
            "ProcessingInputs": [self.source("code", code), *inputs],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            **members,
        }

    def plain_request(self, **members):
        return self.request("pass", **members)

    def outputs(self, name):
        """What a job put out, as text by the key below its output's address."""
        return {key: body.decode() for key, body in self.below(f"s3://{self.bucket}/{name}-out").items()}

    def log(self, name):
        """What each instance wrote, by the stream's host."""
        return {
            stream.partition("/")[2].rpartition("-")[0]: messages
            for stream, messages in self.streams(name).items()
        }
