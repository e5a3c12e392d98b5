"""IAM switched on: who signs, and what their policies allow."""

import json
import urllib.error

import pytest

from tests.local_sagemaker.processing_jobs import Processing
from tests.local_sagemaker.trainer import Trainer
from tests.local_sagemaker.transform_jobs import Transforms

ACCOUNT = "123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def allow(*actions, resource="*", effect="Allow", **condition):
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


class Account:
    """The enforcing server's users, and root, who makes them."""

    def __init__(self, server, world):
        self.server = server
        self.world = world
        self.iam = self.client("iam")

    def client(self, service, key="local", secret="local", token=None, **config):  # noqa: S107 - root's
        return self.server.client(service, key=key, secret=secret, token=token, **config)

    def user(self, *statements):
        """A new user who is granted these; returns how to make clients as that user."""
        name = self.world.name("user")
        self.iam.create_user(UserName=name)
        self.grant(name, *statements)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        made = lambda service, **config: self.client(  # noqa: E731
            service, key["AccessKeyId"], key["SecretAccessKey"], **config
        )
        made.name = name
        made.arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
        return made

    def grant(self, user, *statements):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        if statements:
            self.iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=json.dumps(document))

    def role(self, *statements, trust=TRUST):
        name = self.world.name("role")
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if statements:
            document = {"Version": "2012-10-17", "Statement": list(statements)}
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        return arn


@pytest.fixture(scope="module")
def enforcing(start_server, make_world):
    server = start_server("--enforce-iam")
    yield Account(server, make_world(server))
    server.end()


def test_a_key_that_nobody_has(enforcing, refusal):
    unknown = [enforcing.client(service, "AKIAUNKNOWN", "x") for service in ("sagemaker", "s3", "sts", "sqs")]
    assert refusal(unknown[0].list_models) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
    assert refusal(unknown[1].list_buckets)[0] == "InvalidAccessKeyId"
    assert refusal(unknown[2].get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(unknown[3].list_queues)[0] == "InvalidClientTokenId"
    runtime = enforcing.client("sagemaker-runtime", "AKIAUNKNOWN", "x")
    assert refusal(runtime.invoke_endpoint, EndpointName="e", Body=b"")[0] == "UnrecognizedClientException"


def test_a_wrong_secret(enforcing, refusal):
    wrong = {service: enforcing.client(service, "local", "wrong") for service in ("sagemaker", "s3", "iam")}
    assert refusal(wrong["sagemaker"].list_models)[0] == "InvalidSignatureException"
    assert refusal(wrong["s3"].put_object, Bucket="models", Key="a b/ü", Body=b"x")[0] == (
        "SignatureDoesNotMatch"
    )
    assert refusal(wrong["iam"].list_users)[0] == "SignatureDoesNotMatch"


def test_right_signatures_of_all_kinds(enforcing):
    s3 = enforcing.client("s3")
    for key in ("plain", "a b/ü%20&+~.txt", "dots/../and//slashes"):
        s3.put_object(Bucket="models", Key=key, Body=b"content", Metadata={"by": "me"})
        assert s3.get_object(Bucket="models", Key=key)["Body"].read() == b"content"
    s3.list_objects_v2(Bucket="models", Prefix="a b/", Delimiter="/")
    enforcing.client("cloudwatch").describe_alarms()
    enforcing.client("sqs").list_queues()
    enforcing.client("sts").get_caller_identity()
    for version in ("s3v4", "s3"):
        for key in ("plain", "a b/ü%20&+~.txt"):
            url = enforcing.client("s3", signature_version=version).generate_presigned_url(
                "get_object", Params={"Bucket": "models", "Key": key}
            )
            assert enforcing.server.page(url.removeprefix(enforcing.server.url)) == "content"
            with pytest.raises(urllib.error.HTTPError, match="403"):
                enforcing.server.page(
                    url.removeprefix(enforcing.server.url).replace("Signature=", "Signature=x")
                )


def test_nothing_is_allowed_by_itself(enforcing, refusal):
    user = enforcing.user()
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/some-endpoint"
    denied = (
        f"User: {user.arn} is not authorized to perform: sagemaker:{{0}} on resource: {arn} "
        "because no identity-based policy allows the sagemaker:{0} action"
    )
    assert refusal(user("sagemaker").describe_endpoint, EndpointName="Some-Endpoint") == (
        "AccessDeniedException",
        denied.format("DescribeEndpoint"),
    )
    assert refusal(user("sagemaker-runtime").invoke_endpoint, EndpointName="some-endpoint", Body=b"x") == (
        "AccessDeniedException",
        denied.format("InvokeEndpoint"),
    )
    code, message = refusal(user("s3").put_object, Bucket="models", Key="k", Body=b"x")
    assert code == "AccessDenied"
    assert "s3:PutObject on resource: arn:aws:s3:::models/k" in message
    assert refusal(user("cloudwatch").describe_alarms)[0] == "AccessDenied"
    targets = user("application-autoscaling").describe_scalable_targets
    assert refusal(targets, ServiceNamespace="sagemaker")[0] == "AccessDeniedException"
    assert refusal(user("logs").describe_log_groups)[0] == "AccessDeniedException"
    assert user("sts").get_caller_identity()["Arn"] == user.arn


def test_what_is_allowed_is_served_and_nothing_beside_it(enforcing, refusal):
    user = enforcing.user(
        allow("sagemaker:Describe*", resource=f"arn:aws:sagemaker:*:{ACCOUNT}:endpoint/mine-*"),
        allow("sagemaker:List*"),
    )
    sagemaker = user("sagemaker")
    sagemaker.list_models()
    assert refusal(sagemaker.describe_endpoint, EndpointName="mine-1")[0] == "ValidationException"
    assert refusal(sagemaker.describe_endpoint, EndpointName="theirs")[0] == "AccessDeniedException"
    assert refusal(sagemaker.delete_endpoint, EndpointName="mine-1")[0] == "AccessDeniedException"


def test_an_explicit_deny_wins(enforcing, refusal):
    user = enforcing.user(allow("sagemaker:*"), allow("sagemaker:DeleteEndpoint", effect="Deny"))
    code, message = refusal(user("sagemaker").delete_endpoint, EndpointName="any")
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")
    user("sagemaker").list_endpoints()


def test_groups_and_managed_policies_grant(enforcing, refusal):
    user = enforcing.user()
    group = enforcing.world.name("group")
    document = {"Version": "2012-10-17", "Statement": [allow("sagemaker:ListModels")]}
    policy = enforcing.iam.create_policy(PolicyName=group, PolicyDocument=json.dumps(document))["Policy"][
        "Arn"
    ]
    enforcing.iam.create_group(GroupName=group)
    enforcing.iam.attach_group_policy(GroupName=group, PolicyArn=policy)
    assert refusal(user("sagemaker").list_models)[0] == "AccessDeniedException"
    enforcing.iam.add_user_to_group(GroupName=group, UserName=user.name)
    user("sagemaker").list_models()
    changed = {"Version": "2012-10-17", "Statement": [allow("sagemaker:ListEndpoints")]}
    enforcing.iam.create_policy_version(
        PolicyArn=policy, PolicyDocument=json.dumps(changed), SetAsDefault=True
    )
    assert refusal(user("sagemaker").list_models)[0] == "AccessDeniedException"


def test_creating_with_tags_needs_leave_to_tag_and_to_pass_the_role(enforcing, refusal):
    world = enforcing.world
    tags = [{"Key": "team", "Value": "growth"}]

    def create(user):
        return refusal(
            user("sagemaker").create_model,
            ModelName=world.name("Model"),
            ExecutionRoleArn=world.role,
            PrimaryContainer={"Image": "image", "ModelDataUrl": "s3://models/none.tar.gz"},
            Tags=tags,
        )

    creating = allow("sagemaker:CreateModel", StringEquals={"aws:RequestTag/team": "growth"})
    tagging = allow("sagemaker:AddTags", StringEquals={"sagemaker:TaggingAction": ["CreateModel"]})
    passing = allow(
        "iam:PassRole", resource=world.role, StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"}
    )
    code, message = create(enforcing.user(creating))
    assert (code, "sagemaker:AddTags" in message) == ("AccessDeniedException", True)
    code, message = create(enforcing.user(creating, tagging))
    assert (code, f"iam:PassRole on resource: {world.role}" in message) == ("AccessDeniedException", True)
    code, message = create(enforcing.user(creating, tagging, passing))
    assert (code, message) == (
        "ValidationException",
        "Could not find model data at s3://models/none.tar.gz.",
    )
    tags = [{"Key": "team", "Value": "other"}]
    code, message = create(enforcing.user(creating, tagging, passing))
    assert (code, "sagemaker:CreateModel" in message) == ("AccessDeniedException", True)


def test_tags_of_a_resource_decide(enforcing, refusal):
    sagemaker = enforcing.client("sagemaker")
    for name, team in (("tagged-a", "a"), ("tagged-b", "b")):
        sagemaker.create_model_package_group(
            ModelPackageGroupName=name, Tags=[{"Key": "team", "Value": team}]
        )
    user = enforcing.user(
        allow("sagemaker:DeleteModelPackageGroup", StringEquals={"aws:ResourceTag/team": "${aws:username}"}),
        allow("sagemaker:DescribeModelPackageGroup", StringEquals={"aws:ResourceTag/team": "a"}),
    )
    user("sagemaker").describe_model_package_group(ModelPackageGroupName="tagged-a")
    for call, name in (("describe", "tagged-b"), ("delete", "tagged-a")):
        function = getattr(user("sagemaker"), f"{call}_model_package_group")
        assert refusal(function, ModelPackageGroupName=name)[0] == "AccessDeniedException"


def test_an_object_that_is_not_there_is_a_refusal_without_leave_to_list(enforcing, refusal):
    enforcing.client("s3").put_object(Bucket="models", Key="there", Body=b"x")
    reading = allow("s3:GetObject", resource="arn:aws:s3:::models/*")
    listing = allow("s3:ListBucket", resource="arn:aws:s3:::models")
    without, both = enforcing.user(reading)("s3"), enforcing.user(reading, listing)("s3")
    assert without.get_object(Bucket="models", Key="there")["Body"].read() == b"x"
    assert refusal(without.get_object, Bucket="models", Key="absent")[0] == "AccessDenied"
    assert refusal(without.head_object, Bucket="models", Key="absent")[0] == "403"
    assert refusal(both.get_object, Bucket="models", Key="absent")[0] == "NoSuchKey"
    assert refusal(both.head_object, Bucket="models", Key="absent")[0] == "404"
    code, message = refusal(
        both.copy_object, Bucket="models", Key="copy", CopySource={"Bucket": "models", "Key": "there"}
    )
    assert (code, "s3:PutObject" in message) == ("AccessDenied", True)


def test_deleting_many_objects_needs_leave_for_each(enforcing, refusal):
    for key in ("a/1", "b/1"):
        enforcing.client("s3").put_object(Bucket="models", Key=key, Body=b"x")
    s3 = enforcing.user(allow("s3:DeleteObject", resource="arn:aws:s3:::models/a/*"))("s3")
    both = {"Objects": [{"Key": "a/1"}, {"Key": "b/1"}]}
    code, message = refusal(s3.delete_objects, Bucket="models", Delete=both)
    assert (code, "arn:aws:s3:::models/b/1" in message) == ("AccessDenied", True)
    s3.delete_objects(Bucket="models", Delete={"Objects": [{"Key": "a/1"}]})
    assert refusal(enforcing.client("s3").get_object, Bucket="models", Key="a/1")[0] == "NoSuchKey"


def test_a_session_of_a_role_is_held_to_role_and_session_policy(enforcing, refusal):
    user = enforcing.user(allow("sts:AssumeRole"))
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}],
    }
    role = enforcing.role(allow("sagemaker:List*"), trust=trust)
    stranger = enforcing.user()
    assume = {"RoleArn": role, "RoleSessionName": "release"}
    assert refusal(stranger("sts").assume_role, **assume)[0] == "AccessDenied"

    def session(**members):
        found = user("sts").assume_role(**assume, **members)["Credentials"]
        return lambda service: enforcing.client(
            service, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )

    name = role.rpartition("/")[2]
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/release"
    session()("sagemaker").list_models()
    code, message = refusal(session()("sagemaker").describe_endpoint, EndpointName="e")
    assert (code, message.startswith(f"User: {arn} is not")) == ("AccessDeniedException", True)
    narrowed = {"Version": "2012-10-17", "Statement": [allow("sagemaker:ListEndpoints")]}
    narrow = session(Policy=json.dumps(narrowed))("sagemaker")
    narrow.list_endpoints()
    code, message = refusal(narrow.list_models)
    assert message.endswith("because no session policy allows the sagemaker:ListModels action")
    assert session()("sts").get_caller_identity()["Arn"] == arn


def test_10_an_execution_role_that_cannot_read_the_model(enforcing, refusal):
    world = enforcing.world
    container = world.container("echo")

    def create(role, name=None):
        return world.sagemaker.create_model(
            ModelName=name or world.name("Model"), ExecutionRoleArn=role, PrimaryContainer=container
        )

    reading = allow("s3:GetObject", resource="arn:aws:s3:::models/*")
    stranger = {"Version": "2012-10-17", "Statement": []}
    for role in (
        enforcing.role(),
        enforcing.role(reading, trust=stranger),
        f"arn:aws:iam::{ACCOUNT}:role/none",
    ):
        code, message = refusal(create, role)
        assert code == "ValidationException"
        assert message.startswith(
            f"Could not access model data at {container['ModelDataUrl']}. "
            f'Please ensure that the role "{role}"'
        )
    create(enforcing.role(reading))


def test_who_registered_and_who_approved(enforcing):
    register = enforcing.user(allow("sagemaker:*"))
    approve = enforcing.user(allow("sagemaker:UpdateModelPackage", "sagemaker:DescribeModelPackage"))
    group = enforcing.world.name("Group")
    register("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    arn = register("sagemaker").create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    approve("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    found = approve("sagemaker").describe_model_package(ModelPackageName=arn)
    assert found["CreatedBy"]["IamIdentity"]["Arn"] == register.arn
    assert found["LastModifiedBy"]["IamIdentity"]["Arn"] == approve.arn


def test_a_jobs_program_may_do_what_its_role_may(enforcing):
    trainer = Trainer(enforcing.world)
    read = allow("s3:GetObject", resource="arn:aws:s3:::models/readable/*")
    trainer.put("readable/x", "for the role")
    trainer.put("closed/x", "not for the role")
    found = trainer.train(
        "import boto3, os, pathlib\n"
        "s3 = boto3.client('s3')\n"
        "print(s3.get_object(Bucket='models', Key='readable/x')['Body'].read().decode())\n"
        "try:\n"
        "    s3.get_object(Bucket='models', Key='closed/x')\n"
        "except s3.exceptions.ClientError as error:\n"
        "    print(error.response['Error']['Code'])\n",
        RoleArn=enforcing.role(read),
    )
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert trainer.log(found["TrainingJobName"]).split("\n") == ["for the role", "AccessDenied"]


def test_a_role_that_sagemaker_may_not_take_on_is_refused_to_jobs(enforcing, refusal):
    elsewhere = {**TRUST["Statement"][0], "Principal": {"Service": "lambda.amazonaws.com"}}
    lambdas = enforcing.role(trust={**TRUST, "Statement": [elsewhere]})
    nobodys = f"arn:aws:iam::{ACCOUNT}:role/none-such"
    world = enforcing.world
    trainer, processing = Trainer(world), Processing(world, None)
    sagemaker = world.sagemaker
    for role in (lambdas, nobodys):
        reason = (
            f"Could not assume role {role}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )
        training = trainer.request("pass", RoleArn=role)
        tuning = {
            "HyperParameterTuningJobName": world.name("Tune"),
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "ResourceLimits": {"MaxParallelTrainingJobs": 1},
            },
            "TrainingJobDefinition": {
                member: training[member]
                for member in training
                if member not in ("TrainingJobName", "HyperParameters")
            },
        }
        for call, request in (
            (sagemaker.create_training_job, training),
            (sagemaker.create_processing_job, processing.request("pass", RoleArn=role)),
            (sagemaker.create_hyper_parameter_tuning_job, tuning),
        ):
            assert refusal(call, **request) == ("ValidationException", reason)


def test_a_models_role_may_go_while_the_model_stays_and_then_it_transforms_nothing(enforcing, refusal):
    world = enforcing.world
    role = enforcing.role(allow("s3:GetObject"))
    model = world.name("Model")
    world.sagemaker.create_model(
        ModelName=model, ExecutionRoleArn=role, PrimaryContainer=world.container("echo")
    )
    name = role.rpartition("/")[2]
    enforcing.iam.delete_role_policy(RoleName=name, PolicyName="p")
    enforcing.iam.delete_role(RoleName=name)
    request = Transforms(world, None).request(model, {"a.csv": b"1"})
    code, message = refusal(world.sagemaker.create_transform_job, **request)
    assert (code, message.startswith(f"Could not assume role {role}.")) == ("ValidationException", True)


def test_alarms_are_made_and_deleted_by_their_tags(enforcing, refusal):
    tagged = {"Null": {"aws:RequestTag/ours": "false"}}
    user = enforcing.user(
        allow("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", **tagged),
        allow("cloudwatch:DeleteAlarms", Null={"aws:ResourceTag/ours": "false"}),
    )
    mine, others = enforcing.world.name("Alarm"), enforcing.world.name("Alarm")
    request = {
        "Namespace": "Test",
        "MetricName": "Nothing",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    enforcing.client("cloudwatch").put_metric_alarm(AlarmName=others, **request)
    cloudwatch = user("cloudwatch")
    code, message = refusal(cloudwatch.put_metric_alarm, AlarmName=mine, **request)
    assert (code, "cloudwatch:PutMetricAlarm on resource" in message) == ("AccessDenied", True)
    cloudwatch.put_metric_alarm(AlarmName=mine, **request, Tags=[{"Key": "ours", "Value": "yes"}])
    assert refusal(cloudwatch.delete_alarms, AlarmNames=[others])[0] == "AccessDenied"
    cloudwatch.delete_alarms(AlarmNames=[mine])
