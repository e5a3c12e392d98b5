"""What an address gives away, wherever somebody has written it."""

import pytest

from endpoint_deploy.core.redact import without_given_away, without_secrets
from tests.core.builders import spec

PRESIGNED = "https://b.s3.amazonaws.com/model.tar.gz?X-Amz-Date=20260101T000000Z"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"GET {PRESIGNED}&X-Amz-Signature=0a1b, refused", f"GET {PRESIGNED}&X-Amz-Signature=***, refused"),
        (
            f"<{PRESIGNED}&X-Amz-Credential=AKIA%2F2026&X-Amz-Security-Token=Fwo+/=&X-Amz-Expires=60>",
            f"<{PRESIGNED}&X-Amz-Credential=***&X-Amz-Security-Token=***&X-Amz-Expires=60>",
        ),
        (
            "https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIA&Signature=x%3D",
            "https://b.s3.amazonaws.com/k?AWSAccessKeyId=***&Signature=***",
        ),
        ("to=https%3A%2F%2Fb%3FX-Amz-Signature%3D0a1b", "to=https%3A%2F%2Fb%3FX-Amz-Signature%3D***"),
        ("https://hooks.slack.com/services/T0/B0/xyz: 404", "https://hooks.slack.com/services/***"),
        ("no answer from http://me:pass@proxy:3128/ here", "no answer from http://***@proxy:3128/ here"),
    ],
)
def test_what_an_address_gives_away_is_taken_out(said: str, shown: str) -> None:
    assert without_given_away(said).startswith(shown)
    assert without_secrets(spec(), {"why": [said]})["why"][0].startswith(shown)


@pytest.mark.parametrize(
    "said",
    [
        "s3://bucket/key@1:2/model.tar.gz",
        "arn:aws:iam::123456789012:role/a@b",
        "SignatureDoesNotMatch: the signature we calculated differs",
        "https://docs.slack.com/services and http://host:8080/a@b",
    ],
)
def test_what_gives_nothing_away_stays(said: str) -> None:
    assert without_given_away(said) == said
