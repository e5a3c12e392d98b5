"""What tests of every kind of job over a bucket share."""

OVER = ("Completed", "Failed", "Stopped")


class BucketJobs:
    """Jobs of one kind on one server, with inputs and outputs in a bucket of their own.

    `kind` is the API's name for it, as in "Processing"; a subclass gives it, and `request`, the members of
    a create, and `plain_request`, those of a job that simply succeeds.
    """

    kind: str

    def __init__(self, world, until, bucket=None):
        self.world = world
        self.until = until
        self.client = world.sagemaker
        self.bucket = bucket or self._new_bucket()

    def again(self):
        """The same jobs, once their server has come back."""
        return type(self)(type(self.world)(self.world.server), self.until, self.bucket)

    def _new_bucket(self):
        name = self.world.name(self.kind).lower()
        s3 = self.world.s3
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
        return name

    def put(self, files):
        """Upload under a new prefix; returns it."""
        prefix = self.world.name("in")
        for key, body in files.items():
            self.world.s3.put_object(Bucket=self.bucket, Key=f"{prefix}/{key}", Body=body)
        return prefix

    def call(self, operation, **members):
        """Call an operation on jobs of the kind, named as in "create"."""
        return getattr(self.client, f"{operation}_{self.kind.lower()}_job")(**members)

    def begin(self, *arguments, **members):
        request = self.request(*arguments, **members)
        self.call("create", **request)
        return request[f"{self.kind}JobName"]

    def describe_created(self, request):
        """Create, and show what the job looks like at once."""
        self.call("create", **request)
        return self.describe(request[f"{self.kind}JobName"])

    def describe(self, name):
        return self.call("describe", **{f"{self.kind}JobName": name})

    def ended(self, name):
        def look():
            found = self.describe(name)
            return found if found[f"{self.kind}JobStatus"] in OVER else None

        return self.until(look, f"{name} ends")

    def run(self, *arguments, **members):
        """The description of a job that is over."""
        return self.ended(self.begin(*arguments, **members))

    def below(self, uri):
        """The objects under an address, by the rest of their keys."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        s3 = self.world.s3
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
        return {
            each["Key"].removeprefix(f"{prefix}/"): s3.get_object(Bucket=bucket, Key=each["Key"])[
                "Body"
            ].read()
            for each in found
        }

    def streams(self, name):
        """What each log stream of a job holds, by the stream's name."""
        logs = self.world.server.client("logs")
        group = f"/aws/sagemaker/{self.kind}Jobs"
        found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        return {
            stream: [
                event["message"]
                for event in logs.get_log_events(
                    logGroupName=group, logStreamName=stream, startFromHead=True
                )["events"]
            ]
            for stream in (each["logStreamName"] for each in found)
        }
