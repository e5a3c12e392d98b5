"""Transform jobs as tests begin and look at them."""

OVER = ("Completed", "Failed", "Stopped")


class Transforms:
    """Transform jobs of one server, over inputs and outputs in a bucket of their own."""

    def __init__(self, world, until, bucket=None):
        self.world = world
        self.until = until
        self.client = world.sagemaker
        self.bucket = bucket or self._new_bucket()

    def again(self):
        """The same jobs, once their server has come back."""
        return type(self)(type(self.world)(self.world.server), self.until, self.bucket)

    def _new_bucket(self):
        name = self.world.name("transforms").lower()
        s3 = self.world.s3
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        return name

    def put(self, files):
        """Upload under a new prefix; returns it."""
        prefix = self.world.name("in")
        for key, body in files.items():
            self.world.s3.put_object(Bucket=self.bucket, Key=f"{prefix}/{key}", Body=body)
        return prefix

    def request(self, model, files, **members):
        """A create request; `Input`, `Output` and `Source` add to the parts of those names."""
        name = self.world.name("Job")
        prefix = self.put(files) if isinstance(files, dict) else files
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{prefix}"}
        given = {"ContentType": "text/csv", "SplitType": "Line", **members.pop("Input", {})}
        wanted = {"Accept": "text/csv", "AssembleWith": "Line", **members.pop("Output", {})}
        return {
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": {
                "DataSource": {"S3DataSource": {**source, **members.pop("Source", {})}},
                **given,
            },
            "TransformOutput": {"S3OutputPath": f"s3://{self.bucket}/{name}-out", **wanted},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": members.pop("count", 1)},
            **members,
        }

    def begin(self, model, files, **members):
        request = self.request(model, files, **members)
        self.client.create_transform_job(**request)
        return request["TransformJobName"]

    def describe(self, name):
        return self.client.describe_transform_job(TransformJobName=name)

    def ended(self, name):
        def look():
            found = self.describe(name)
            return found if found["TransformJobStatus"] in OVER else None

        return self.until(look, f"{name} ends")

    def run(self, model, files, **members):
        """The description of a job that is over."""
        return self.ended(self.begin(model, files, **members))

    def outputs(self, job):
        """Every output of a job, by its key below the output path."""
        return self.below(job["TransformOutput"]["S3OutputPath"])

    def below(self, uri):
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        found = self.world.s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
        return {
            each["Key"].removeprefix(f"{prefix}/"): self.world.s3.get_object(Bucket=bucket, Key=each["Key"])[
                "Body"
            ].read()
            for each in found
        }

    def log(self, job, *, data=True):
        """What the job's data logs say, or its containers."""
        logs = self.world.server.client("logs")
        group = "/aws/sagemaker/TransformJobs"
        streams = logs.describe_log_streams(
            logGroupName=group, logStreamNamePrefix=f"{job['TransformJobName']}/"
        )["logStreams"]
        return [
            event["message"]
            for stream in streams
            if stream["logStreamName"].endswith("/data-log") == data
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
