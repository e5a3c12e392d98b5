"""Processing jobs as tests begin and look at them."""

import textwrap

OVER = ("Completed", "Failed", "Stopped")
SCRIPT = "/opt/ml/processing/input/code/script.py"


class Processing:
    """Processing jobs of one server, with inputs and outputs in a bucket of their own."""

    def __init__(self, world, until, bucket=None):
        self.world = world
        self.until = until
        self.client = world.sagemaker
        self.bucket = bucket or self._new_bucket()

    def again(self):
        """The same jobs, once their server has come back."""
        return type(self)(type(self.world)(self.world.server), self.until, self.bucket)

    def _new_bucket(self):
        name = self.world.name("processing").lower()
        s3 = self.world.s3
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        return name

    def put(self, files):
        """Upload under a new prefix; returns its address."""
        prefix = self.world.name("in")
        for key, body in files.items():
            self.world.s3.put_object(Bucket=self.bucket, Key=f"{prefix}/{key}", Body=body)
        return f"s3://{self.bucket}/{prefix}"

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

    def begin(self, *arguments, **members):
        request = self.request(*arguments, **members)
        self.client.create_processing_job(**request)
        return request["ProcessingJobName"]

    def describe(self, name):
        return self.client.describe_processing_job(ProcessingJobName=name)

    def ended(self, name):
        def look():
            found = self.describe(name)
            return found if found["ProcessingJobStatus"] in OVER else None

        return self.until(look, f"{name} ends")

    def run(self, *arguments, **members):
        """The description of a job that is over."""
        return self.ended(self.begin(*arguments, **members))

    def outputs(self, name):
        prefix = f"{name}-out/"
        found = self.world.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {
            each["Key"].removeprefix(prefix): self.world.s3.get_object(Bucket=self.bucket, Key=each["Key"])[
                "Body"
            ]
            .read()
            .decode()
            for each in found
        }

    def log(self, name):
        """What each instance wrote, by the stream's host."""
        logs = self.world.server.client("logs")
        group = "/aws/sagemaker/ProcessingJobs"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        found = {}
        for stream in streams:
            events = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
            host = stream["logStreamName"].partition("/")[2].rpartition("-")[0]
            found[host] = [event["message"] for event in events]
        return found
