"""The model registry: groups, versions, approval, tags, and what a kill leaves of them."""

import signal

import pytest

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/python:1"


def inference(url="s3://models/some/model.tar.gz"):
    return {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": url, "Environment": {"RELEASE": "7"}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }


@pytest.fixture
def group(world):
    name = world.name("Group")
    world.sagemaker.create_model_package_group(
        ModelPackageGroupName=name,
        ModelPackageGroupDescription="churn",
        Tags=[{"Key": "team", "Value": "growth"}],
    )
    return name


def register(world, group, **members):
    members.setdefault("InferenceSpecification", inference())
    return world.sagemaker.create_model_package(ModelPackageGroupName=group, **members)["ModelPackageArn"]


def test_24_a_group_name_is_taken_in_any_case(world, group, refusal):
    for taken in (group, group.upper()):
        code, message = refusal(world.sagemaker.create_model_package_group, ModelPackageGroupName=taken)
        assert code == "ValidationException"
        assert message == f"Model Package Group already exists: {world.arn('model-package-group', group)}"


def test_a_group_is_described_by_name_and_arn(world, group):
    arn = world.arn("model-package-group", group)
    for key in (group, arn):
        found = world.sagemaker.describe_model_package_group(ModelPackageGroupName=key)
        assert found["ModelPackageGroupName"] == group
        assert found["ModelPackageGroupArn"] == arn
        assert found["ModelPackageGroupDescription"] == "churn"
        assert found["ModelPackageGroupStatus"] == "Completed"
        assert found["CreatedBy"]["IamIdentity"]["Arn"].startswith("arn:aws:")
    tags = world.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "growth"}]


def test_a_missing_group_or_package_is_named(world, group, refusal):
    missing = world.name("Gone")
    for call in (world.sagemaker.describe_model_package_group, world.sagemaker.delete_model_package_group):
        code, message = refusal(call, ModelPackageGroupName=missing)
        assert code == "ValidationException"
        assert message == f"ModelPackageGroup {world.arn('model-package-group', missing)} does not exist."
    arn = world.arn("model-package", f"{group}/3")
    code, message = refusal(world.sagemaker.describe_model_package, ModelPackageName=arn)
    assert (code, message) == ("ValidationException", f"ModelPackage {arn} does not exist.")
    code, message = refusal(register, world, missing)
    assert message == f"ModelPackageGroup {world.arn('model-package-group', missing)} does not exist."


def test_versions_count_up_and_a_deleted_number_is_not_used_again(world, group):
    first, second = register(world, group), register(world, world.arn("model-package-group", group))
    assert first == world.arn("model-package", f"{group}/1")
    assert second == world.arn("model-package", f"{group}/2")
    world.sagemaker.delete_model_package(ModelPackageName=second)
    assert register(world, group) == world.arn("model-package", f"{group}/3")


def test_a_group_with_versions_is_not_deleted(world, group, refusal):
    arn = register(world, group)
    code, message = refusal(world.sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    assert code == "ConflictException"
    assert "1 model package" in message
    world.sagemaker.delete_model_package(ModelPackageName=arn)
    world.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert group not in [
        found["ModelPackageGroupName"]
        for page in world.sagemaker.get_paginator("list_model_package_groups").paginate(NameContains=group)
        for found in page["ModelPackageGroupSummaryList"]
    ]


def test_a_version_is_described_as_it_was_registered(world, group):
    arn = register(
        world,
        group,
        ModelPackageDescription="the seventh",
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "json", "S3Uri": "s3://models/q.json"}}},
        CustomerMetadataProperties={"auc": "0.91"},
        MetadataProperties={"CommitId": "abc"},
        SourceUri="s3://models/source",
        ModelLifeCycle={"Stage": "Staging", "StageStatus": "Pending"},
        Domain="COMPUTER_VISION",
    )
    found = world.sagemaker.describe_model_package(ModelPackageName=arn)
    assert found["ModelPackageGroupName"] == group
    assert found["ModelPackageVersion"] == 1
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["InferenceSpecification"] == inference()
    assert found["CustomerMetadataProperties"] == {"auc": "0.91"}
    assert found["MetadataProperties"] == {"CommitId": "abc"}
    assert found["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] == "s3://models/q.json"
    assert found["SourceUri"] == "s3://models/source"
    assert found["ModelLifeCycle"] == {"Stage": "Staging", "StageStatus": "Pending"}
    assert "LastModifiedTime" not in found


def test_approval_says_who_and_when(world, group):
    arn = register(world, group, CustomerMetadataProperties={"auc": "0.91", "run": "7"})
    before = world.sagemaker.describe_model_package(ModelPackageName=arn)
    answer = world.sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="better than 6",
        CustomerMetadataProperties={"auc": "0.92", "by": "me"},
        CustomerMetadataPropertiesToRemove=["run"],
    )
    assert answer["ModelPackageArn"] == arn
    after = world.sagemaker.describe_model_package(ModelPackageName=arn)
    assert after["ModelApprovalStatus"] == "Approved"
    assert after["ApprovalDescription"] == "better than 6"
    assert after["CustomerMetadataProperties"] == {"auc": "0.92", "by": "me"}
    assert after["CreationTime"] == before["CreationTime"]
    assert after["LastModifiedTime"] >= before["CreationTime"]
    assert after["LastModifiedBy"]["IamIdentity"]["Arn"].startswith("arn:aws:")


def test_the_latest_approved_version_is_found_as_pipelines_do(world, group):
    arns = [register(world, group) for _ in range(12)]
    for arn in (arns[1], arns[10]):
        world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    latest = world.sagemaker.list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )
    assert [found["ModelPackageArn"] for found in latest["ModelPackageSummaryList"]] == [arns[10]]
    assert "ModelPackageName" not in latest["ModelPackageSummaryList"][0]
    pages = world.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, PaginationConfig={"PageSize": 5}
    )
    listed = [[found["ModelPackageVersion"] for found in page["ModelPackageSummaryList"]] for page in pages]
    assert listed == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]


def test_listing_takes_types_apart(world, group):
    versioned = register(world, group)
    name = world.name("Package")
    arn = world.sagemaker.create_model_package(
        ModelPackageName=name, InferenceSpecification=inference(), Tags=[{"Key": "a", "Value": "b"}]
    )["ModelPackageArn"]
    assert arn == world.arn("model-package", name)

    def listed(**members):
        pages = world.sagemaker.get_paginator("list_model_packages").paginate(**members)
        return {found["ModelPackageArn"] for page in pages for found in page["ModelPackageSummaryList"]}

    assert (arn in listed(), versioned in listed()) == (True, False)
    assert (
        arn in listed(ModelPackageType="Versioned"),
        versioned in listed(ModelPackageType="Versioned"),
    ) == (
        False,
        True,
    )
    assert {arn, versioned} <= listed(ModelPackageType="Both")
    assert listed(NameContains=name) == {arn}
    found = world.sagemaker.describe_model_package(ModelPackageName=name)
    assert found["ModelPackageName"] == name
    assert "ModelApprovalStatus" not in found
    assert world.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_batch_tells_those_found_from_those_missing(world, group):
    arn, missing = register(world, group), world.arn("model-package", f"{group}/9")
    answer = world.sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, missing])
    assert answer["ModelPackageSummaries"][arn]["InferenceSpecification"] == inference()
    assert answer["BatchDescribeModelPackageErrorMap"][missing]["ErrorCode"] == "ValidationException"


def test_what_is_no_package_is_refused(world, group, refusal):
    create = world.sagemaker.create_model_package
    specification = {"InferenceSpecification": inference()}
    assert refusal(create, **specification) == ("ValidationException", "Missing ARN.")
    code, message = refusal(create, ModelPackageName="both", ModelPackageGroupName=group, **specification)
    assert message.startswith("Both ModelPackageName and ModelPackageGroupName are provided in the input.")
    code, message = refusal(
        create, ModelPackageGroupName=group, Tags=[{"Key": "a", "Value": "b"}], **specification
    )
    assert (code, "Tags" in message) == ("ValidationException", True)
    validation = {
        "ValidationRole": world.role,
        "ValidationProfiles": [
            {
                "ProfileName": "p",
                "TransformJobDefinition": {
                    "TransformInput": {
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://models/in"}}
                    },
                    "TransformOutput": {"S3OutputPath": "s3://models/out"},
                    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
                },
            }
        ],
    }
    code, message = refusal(
        create, ModelPackageName=world.name(), ValidationSpecification=validation, **specification
    )
    assert "ValidationSpecification is not served" in message


def test_the_same_client_token_registers_once(world, group):
    arns = {register(world, group, ClientToken="one-and-the-same-" + group[-8:]) for _ in range(3)}
    assert len(arns) == 1


def test_a_groups_policy_is_kept(world, group, refusal):
    policies = {"ModelPackageGroupName": group}
    assert refusal(world.sagemaker.get_model_package_group_policy, **policies)[0] == "ValidationException"
    world.sagemaker.put_model_package_group_policy(ResourcePolicy='{"Version": "2012-10-17"}', **policies)
    found = world.sagemaker.get_model_package_group_policy(**policies)["ResourcePolicy"]
    assert found == '{"Version": "2012-10-17"}'
    world.sagemaker.delete_model_package_group_policy(**policies)
    assert refusal(world.sagemaker.get_model_package_group_policy, **policies)[0] == "ValidationException"


def test_a_model_is_made_of_an_approved_version_only(world, group, refusal):
    container = world.container("echo", {"RELEASE": "of the package"})
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    arn = register(world, group, InferenceSpecification=specification)
    name = world.name("Model")
    model = {
        "ModelName": name,
        "ExecutionRoleArn": world.role,
        "PrimaryContainer": {"ModelPackageName": arn},
    }
    for status in ("PendingManualApproval", "Rejected"):
        world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
        code, message = refusal(world.sagemaker.create_model, **model)
        assert code == "ValidationException"
        assert status in message
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    world.sagemaker.create_model(**model)
    endpoint = world.endpoint(world.config(world.variant(name)))
    assert world.answer(endpoint)["release"] == "of the package"


def test_the_registry_survives_a_kill(start_server, make_world):
    server = start_server()
    world = make_world(server)
    world.sagemaker.create_model_package_group(ModelPackageGroupName="kept")
    arn = register(world, "kept", CustomerMetadataProperties={"a": "1"})
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    before = world.sagemaker.describe_model_package(ModelPackageName=arn)
    server.end(signal.SIGKILL)
    server.start()
    world = make_world(server)
    after = world.sagemaker.describe_model_package(ModelPackageName=arn)
    for shown in (before, after):
        del shown["ResponseMetadata"]
    assert after == before
    assert register(world, "kept").endswith("/2")
    server.end()
