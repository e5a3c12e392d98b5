"""The operations that jobs of several kinds share: names, errors, lists, waiters and tags."""

import pytest

from tests.local_sagemaker.processing_jobs import Processing
from tests.local_sagemaker.transform_jobs import Transforms

_NEWEST_FIRST = {"Processing": False, "Transform": True}  # the default order of the lists


@pytest.fixture(scope="module", params=[Processing, Transforms], ids=lambda kind: kind.kind)
def jobs(request, shared_world, wait_until):
    return request.param(shared_world, wait_until)


def test_a_name_is_taken_and_a_missing_or_finished_job_is_told(jobs, refusal):
    member = f"{jobs.kind}JobName"
    request = jobs.plain_request()
    name = request[member]
    arn = jobs.call("create", **request)[f"{jobs.kind}JobArn"]
    assert arn == jobs.world.arn(f"{jobs.kind.lower()}-job", name)
    taken = (
        "ResourceInUse",
        (
            "Job name must be unique within an AWS account and region, and a job with this name already "
            f"exists ({arn})"
        ),
    )
    assert refusal(jobs.call, "create", **request) == taken
    jobs.ended(name)
    assert refusal(jobs.call, "create", **request) == taken
    for operation in ("describe", "stop"):
        assert refusal(jobs.call, operation, **{member: "missing"}) == (
            "ValidationException",
            "Could not find requested job with name: missing",
        )
    assert refusal(jobs.call, "stop", **{member: name}) == (
        "ValidationException",
        f"The request was rejected because the {jobs.kind.lower()} job is in status Completed.",
    )


def test_the_stock_waiter_lists_and_tags(jobs):
    client, kind, plural = jobs.client, jobs.kind, f"{jobs.kind.lower()}_jobs"
    list_jobs, summaries = getattr(client, f"list_{plural}"), f"{jobs.kind}JobSummaries"
    request = jobs.plain_request(Tags=[{"Key": "team", "Value": "a"}])
    name = request[f"{kind}JobName"]
    arn = jobs.call("create", **request)[f"{kind}JobArn"]
    client.get_waiter(f"{kind.lower()}_job_completed_or_stopped").wait(
        **{f"{kind}JobName": name}, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )
    (summary,) = list_jobs(NameContains=name, StatusEquals="Completed")[summaries]
    job = jobs.describe(name)
    own = (f"{kind}JobName", f"{kind}JobArn", f"{kind}JobStatus", f"{kind}EndTime")
    for member in (*own, "CreationTime"):
        assert summary[member] == job[member]
    assert list_jobs(NameContains=name, StatusEquals="Failed")[summaries] == []
    pages = client.get_paginator(f"list_{plural}").paginate(PaginationConfig={"PageSize": 2})
    listed = [each["CreationTime"] for page in pages for each in page[summaries]]
    assert listed == sorted(listed, reverse=_NEWEST_FIRST[kind])
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "b"}])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "team", "Value": "a"},
        {"Key": "stage", "Value": "b"},
    ]
