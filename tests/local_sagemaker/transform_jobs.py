"""Transform jobs as tests begin and look at them."""

from tests.local_sagemaker.bucket_jobs import BucketJobs


class Transforms(BucketJobs):
    """Transform jobs of one server."""

    kind = "Transform"

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

    def plain_request(self, **members):
        return self.request(self.world.model("rows"), {"a.csv": b"1,1\n"}, **members)

    def outputs(self, job):
        """Every output of a job, by its key below the output path."""
        return self.below(job["TransformOutput"]["S3OutputPath"])

    def log(self, job, *, data=True):
        """What the job's data logs say, or its containers."""
        streams = self.streams(job["TransformJobName"]).items()
        return [
            message
            for stream, messages in streams
            if stream.endswith("/data-log") == data
            for message in messages
        ]
