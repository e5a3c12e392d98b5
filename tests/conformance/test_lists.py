"""Error 22: lists by page, order and filter."""

from operator import itemgetter

import pytest

from tests.conformance.account import refusal


@pytest.fixture(scope="module")
def listed(shared_account):
    """Eleven endpoints, oldest first; serverless, so that they cost nothing while nobody calls them."""
    config = shared_account.config(shared_account.serverless(shared_account.model()))
    marker = shared_account.name("Listed")
    names = [f"{marker}-{number:02}" for number in range(11)]
    for name in names:
        shared_account.sagemaker.create_endpoint(
            EndpointName=name, EndpointConfigName=config, Tags=shared_account.tags
        )
        shared_account.endpoints.append(name)
    return marker, names


@pytest.fixture
def page(account, listed):
    """The names on one page of the list of those endpoints, and the token of the next."""

    def one(**members):
        answer = account.sagemaker.list_endpoints(NameContains=listed[0], **members)
        return [found["EndpointName"] for found in answer["Endpoints"]], answer.get("NextToken")

    return one


@pytest.mark.fact("error-22")
def test_ten_a_page_newest_first(listed, page):
    _, names = listed
    first, token = page()
    assert first == names[:0:-1]
    assert page(NextToken=token) == (names[:1], None)


@pytest.mark.fact("error-22")
def test_pages_of_at_most_100(account, listed, page):
    _, names = listed
    assert page(MaxResults=100) == (names[::-1], None)
    first, token = page(MaxResults=6)
    assert (len(first), token is None) == (6, False)
    code, message = refusal(account.unchecked.list_endpoints, MaxResults=101)
    assert code == "ValidationException"
    assert "Member must have value less than or equal to 100" in message


@pytest.mark.fact("error-22")
def test_order_by_name(listed, page):
    _, names = listed
    assert page(SortBy="Name", SortOrder="Ascending", MaxResults=100)[0] == names
    assert page(SortBy="Name", SortOrder="Descending", MaxResults=100)[0] == names[::-1]


@pytest.mark.fact("error-22")
def test_filters_by_both_times_and_by_status(account, listed, page):
    _, names = listed
    settled = [account.settled(name) for name in names]
    # Whether a moment itself counts as before or after it is not recorded.
    for time, before, after in (
        ("CreationTime", "CreationTimeBefore", "CreationTimeAfter"),
        ("LastModifiedTime", "LastModifiedTimeBefore", "LastModifiedTimeAfter"),
    ):
        first, *_, last = sorted(settled, key=itemgetter(time))
        early, _ = page(**{before: last[time]}, MaxResults=100)
        late, _ = page(**{after: first[time]}, MaxResults=100)
        assert first["EndpointName"] in early
        assert last["EndpointName"] in late
        assert last["EndpointName"] not in page(**{before: first[time]}, MaxResults=100)[0]
        assert first["EndpointName"] not in page(**{after: last[time]}, MaxResults=100)[0]
    assert set(page(StatusEquals="InService", MaxResults=100)[0]) == set(names)
    assert page(StatusEquals="Failed", MaxResults=100)[0] == []


@pytest.mark.fact("error-22")
@pytest.mark.parametrize("kind", ["EndpointConfig", "Model"])
def test_configurations_and_models_are_listed_likewise(account, kind):
    make, operation = {
        "EndpointConfig": (account.release, "list_endpoint_configs"),
        "Model": (account.model, "list_models"),
    }[kind]
    names = [make() for _ in range(3)]
    paginator = account.sagemaker.get_paginator(operation)
    pages = list(paginator.paginate(NameContains=account.prefix, PaginationConfig={"PageSize": 2}))
    assert {len(page[f"{kind}s"]) for page in pages[:-1]} == {2}
    listed = [found[f"{kind}Name"] for page in pages for found in page[f"{kind}s"]]
    assert [name for name in listed if name in names] == names[::-1]
