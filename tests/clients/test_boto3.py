"""boto3's waiters and paginators, as they come."""

import pytest
from botocore.exceptions import WaiterError

from tests.clients.jobs import JOBS

QUICKLY = {"Delay": 1, "MaxAttempts": 60}


def test_the_waiters_of_an_endpoint(world):
    name = world.begin(world.release())
    world.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICKLY)
    assert world.describe(name)["EndpointStatus"] == "InService"
    world.sagemaker.delete_endpoint(EndpointName=name)
    world.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=QUICKLY)
    assert world.sagemaker.list_endpoints(NameContains=name)["Endpoints"] == []


def test_waiting_for_an_endpoint_that_fails(world):
    name = world.begin(world.release("cannot_load"))
    with pytest.raises(WaiterError, match="terminal failure state") as caught:
        world.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICKLY)
    assert caught.value.last_response["EndpointStatus"] == "Failed"
    world.delete([name])


def test_waiting_for_the_service_of_an_endpoint_that_is_missing(world):
    with pytest.raises(WaiterError) as caught:
        world.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="Missing", WaiterConfig=QUICKLY)
    assert caught.value.last_response["Error"]["Message"].startswith("Could not find endpoint")


@pytest.fixture(scope="module")
def three(world):
    """Three endpoints, three configurations and three models whose names share a prefix."""
    prefix = world.name("Paged")
    container = world.container("echo")
    for number in range(3):
        name = f"{prefix}-{number}"
        world.sagemaker.create_model(ModelName=name, ExecutionRoleArn=world.role, PrimaryContainer=container)
        world.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[world.variant(name)]
        )
        world.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    yield prefix
    for number in range(3):
        world.settled(f"{prefix}-{number}")
        world.delete([f"{prefix}-{number}"])


@pytest.mark.parametrize("kind", ["Model", "EndpointConfig", "Endpoint"])
def test_the_paginators_of_hosting(world, three, kind):
    operation = {"Model": "models", "EndpointConfig": "endpoint_configs", "Endpoint": "endpoints"}[kind]
    paginator = world.sagemaker.get_paginator(f"list_{operation}")
    query = {"NameContains": three, "SortBy": "Name", "SortOrder": "Ascending"}
    pages = list(paginator.paginate(**query, PaginationConfig={"PageSize": 2}))
    names = [[found[f"{kind}Name"] for found in page[f"{kind}s"]] for page in pages]
    assert names == [[f"{three}-0", f"{three}-1"], [f"{three}-2"]]
    # And on from where another left off.
    first = paginator.paginate(**query, PaginationConfig={"PageSize": 1, "MaxItems": 1}).build_full_result()
    rest = paginator.paginate(**query, PaginationConfig={"StartingToken": first["NextToken"]})
    assert [found[f"{kind}Name"] for found in rest.build_full_result()[f"{kind}s"]] == [
        f"{three}-1",
        f"{three}-2",
    ]


def test_the_paginator_of_tags(world):
    name = world.model()
    tags = [{"Key": f"key-{number:02}", "Value": str(number)} for number in range(5)]
    world.sagemaker.add_tags(ResourceArn=world.arn("model", name), Tags=tags)
    pages = world.sagemaker.get_paginator("list_tags").paginate(ResourceArn=world.arn("model", name))
    assert pages.build_full_result()["Tags"] == tags


def test_the_paginator_and_the_waiter_of_s3(world):
    prefix = world.name("paged")
    for number in range(5):
        world.s3.put_object(Bucket=world.BUCKET, Key=f"{prefix}/{number}", Body=b"x")
    world.s3.get_waiter("object_exists").wait(Bucket=world.BUCKET, Key=f"{prefix}/4")
    paginator = world.s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=world.BUCKET, Prefix=prefix, PaginationConfig={"PageSize": 2}))
    assert [len(page["Contents"]) for page in pages] == [2, 2, 1]


@pytest.mark.parametrize("kind", JOBS)
def test_the_waiters_of_jobs(world, kind):
    waiter = world.sagemaker.get_waiter(f"{kind}_job_completed_or_stopped")
    names = {do: {f"{kind.title()}JobName": JOBS[kind](world, do)} for do in ("succeed", "fail", "wait")}
    waiter.wait(**names["succeed"], WaiterConfig=QUICKLY)
    with pytest.raises(WaiterError, match="terminal failure state") as caught:
        waiter.wait(**names["fail"], WaiterConfig=QUICKLY)
    assert caught.value.last_response[f"{kind.title()}JobStatus"] == "Failed"
    getattr(world.sagemaker, f"stop_{kind}_job")(**names["wait"])
    waiter.wait(**names["wait"], WaiterConfig=QUICKLY)
    described = getattr(world.sagemaker, f"describe_{kind}_job")(**names["wait"])
    assert described[f"{kind.title()}JobStatus"] == "Stopped"
    # And its paginator, over the three of them.
    paginator = world.sagemaker.get_paginator(f"list_{kind}_jobs")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 2}))
    listed = [job for page in pages for job in page[f"{kind.title()}JobSummaries"]]
    assert len(pages) > 1
    assert {job[f"{kind.title()}JobName"] for job in listed} >= {
        next(iter(name.values())) for name in names.values()
    }
