"""Condition operators, as IAM's reference defines them."""

import pytest

from local_sagemaker.iam.conditions import met

CONTEXT = {
    "aws:username": ["ann"],
    "aws:RequestTag/team": ["growth"],
    "aws:TagKeys": ["team", "stage"],
    "aws:PrincipalArn": ["arn:aws:iam::123456789012:role/ci/deploy"],
    "aws:SourceIp": ["10.1.2.3"],
    "aws:SecureTransport": ["true"],
    "aws:CurrentTime": ["2026-03-01T12:00:00Z"],
    "s3:max-keys": ["50"],
}


@pytest.mark.parametrize(
    ("operator", "key", "value", "expected"),
    [
        ("StringEquals", "aws:username", "ann", True),
        ("StringEquals", "AWS:UserName", ["bob", "ann"], True),
        ("StringEquals", "aws:username", "Ann", False),
        ("StringEqualsIgnoreCase", "aws:username", "ANN", True),
        ("StringNotEquals", "aws:username", ["bob", "ann"], False),
        ("StringNotEquals", "aws:absent", "x", True),
        ("StringEquals", "aws:absent", "x", False),
        ("StringEqualsIfExists", "aws:absent", "x", True),
        ("StringEqualsIfExists", "aws:username", "bob", False),
        ("StringLike", "aws:RequestTag/team", "gr?w*", True),
        ("StringLike", "aws:RequestTag/team", "GR*", False),
        ("StringNotLike", "aws:RequestTag/team", "gr*", False),
        ("StringLike", "aws:username", "${aws:username}", True),
        ("StringLike", "aws:username", "${aws:absent, 'ann'}", True),
        ("StringLike", "aws:username", "${*}nn", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ci/*", True),
        ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:role/other/*", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam*:role/ci/*", False),
        ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ci/*", False),
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:SecureTransport", "false", False),
        ("Null", "aws:absent", "true", True),
        ("Null", "aws:username", True, False),
        ("Null", "aws:username", "false", True),
        ("NumericLessThanEquals", "s3:max-keys", "50", True),
        ("NumericLessThan", "s3:max-keys", 50, False),
        ("NumericNotEquals", "s3:max-keys", 10, True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-01-01T00:00:00Z", True),
        ("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z", False),
        ("IpAddress", "aws:SourceIp", ["192.168.0.0/16", "10.0.0.0/8"], True),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", False),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "stage", "owner"], True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team"], False),
        ("ForAllValues:StringEquals", "aws:absent", ["team"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["team"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["owner"], False),
        ("ForAnyValue:StringEquals", "aws:absent", ["team"], False),
    ],
)
def test_operators(operator, key, value, expected):
    assert met({operator: {key: value}}, CONTEXT) is expected


def test_every_condition_must_be_met():
    one, other = {"aws:username": "ann"}, {"aws:RequestTag/team": "other"}
    assert met({"StringEquals": one, "StringNotEquals": other}, CONTEXT)
    assert not met({"StringEquals": {**one, **other}}, CONTEXT)
