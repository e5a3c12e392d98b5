"""The field types of a spec, each with the limit that SageMaker's API model sets for it.

Limits are those of the service's own shapes (botocore's `sagemaker/2017-07-24` model), so that what passes
here is not refused for its form by CreateModel, CreateEndpointConfig or CreateEndpoint.
"""

from typing import Annotated, Any, Final, Literal, get_args

from croniter import croniter
from pydantic import AfterValidator, Field

from endpoint_deploy.core.problems import Unfit


def _text(pattern: str, words: str, *, min_length: int | None = None, max_length: int | None = None) -> Any:
    """A constraint on text; its words stand in our messages and, as `patternErrorMessage`, in editors'."""
    return Field(
        pattern=pattern,
        min_length=min_length,
        max_length=max_length,
        json_schema_extra={"patternErrorMessage": words},
    )


_WORD = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_LABEL = r"^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$"
_BUCKET = r"^s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]"
_WORD_SAYS = "lower-case letters, digits and hyphens between them"
_LABEL_SAYS = "letters, digits and hyphens between them"

# Names that AWS resources are built from: short enough that name, environment, variant and digest
# together stay within the service's 63 characters.
DeploymentName = Annotated[str, _text(_WORD, f"{_WORD_SAYS}, e.g. churn", min_length=1, max_length=32)]
Environment = Annotated[str, _text(_WORD, f"{_WORD_SAYS}, e.g. prod", min_length=1, max_length=12)]
# A staged release adds `-` and eight hex digits to a variant's name.
VariantName = Annotated[str, _text(_LABEL, f"{_LABEL_SAYS}, e.g. primary", min_length=1, max_length=54)]
EndpointName = Annotated[str, _text(_LABEL, f"{_LABEL_SAYS}, e.g. churn-prod", min_length=1, max_length=63)]
Region = Annotated[str, _text(r"^[a-z]{2}(-[a-z]+)+-\d$", "an AWS region, e.g. eu-west-1")]
RoleArn = Annotated[
    str,
    _text(
        r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$",
        "an IAM role's ARN, e.g. arn:aws:iam::123456789012:role/sagemaker-execution",
        min_length=20,
        max_length=2048,
    ),
]
TopicArn = Annotated[
    str,
    _text(
        r"^arn:aws[a-z\-]*:sns:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9_.\-]+$",
        "an SNS topic's ARN, e.g. arn:aws:sns:eu-west-1:123456789012:releases",
        max_length=2048,
    ),
]
SlackChannel = Annotated[
    str,
    _text(
        r"^(#[^\s#]+|[A-Z0-9]+)$",
        "a Slack channel's name or id, e.g. '#releases'",
        min_length=1,
        max_length=81,
    ),
]
EmailAddress = Annotated[
    str,
    _text(r"^[^\s@,;<>]+@[^\s@,;<>]+$", "an email address, e.g. releases@example.com", max_length=254),
]
KmsKey = Annotated[
    str, _text(r"^[a-zA-Z0-9:/_-]*$", "a KMS key's id, alias or ARN, e.g. alias/models", max_length=2048)
]
InstanceType = Annotated[str, _text(r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$", "an instance type, e.g. ml.m5.large")]
ImageUri = Annotated[
    str,
    _text(
        r"^[\S]+$",
        "an image's URI without spaces, e.g. 123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1",
        min_length=1,
        max_length=255,
    ),
]
FrameworkVersion = Annotated[
    str, _text(r"^[\w.\-]+$", "a framework's version, e.g. 1.2-1", min_length=1, max_length=40)
]
PythonVersion = Annotated[str, _text(r"^py\d+$", "a Python version as AWS names it, e.g. py311")]
Sha256 = Annotated[str, _text(r"^[0-9a-f]{64}$", "a SHA-256 checksum: 64 lower-case hex digits")]
S3Prefix = Annotated[
    str, _text(_BUCKET + r"(/[^\s]*)?$", "an S3 prefix, e.g. s3://bucket/endpoint-deploy", max_length=512)
]
ArtifactUri = Annotated[
    str,
    _text(
        _BUCKET + r"/([^\s]*/)?[^\s/]+\.tar\.gz$",
        "an S3 URI that ends in .tar.gz, e.g. s3://bucket/churn/model.tar.gz",
        max_length=1024,
    ),
]
AlarmName = Annotated[str, _text(r"^.*\S.*$", "a CloudWatch alarm's name", min_length=1, max_length=255)]
ConnectionId = Annotated[
    str,
    _text(r"^[\w.\-]+$", "an Airflow connection's id, e.g. aws_default", min_length=1, max_length=200),
]
ContentType = Annotated[
    str, _text(r"^[\w.+\-]+/[\w.+\-]+(\s*;\s*.+)?$", "a media type, e.g. text/csv", max_length=1024)
]
RelativePath = Annotated[
    str,
    _text(
        r"^[^\s/\\][^\\]*$",
        "a path relative to this file, with forward slashes, e.g. ../models/churn/payloads/one.csv",
        max_length=500,
    ),
]
TestName = Annotated[
    str, _text(r"^[\w.\-]+$", "letters, digits, dots, hyphens and underscores", min_length=1, max_length=60)
]
PackageGroupName = Annotated[str, _text(_LABEL, f"{_LABEL_SAYS}, e.g. churn", min_length=1, max_length=63)]
UserName = Annotated[str, _text(r"^\S+$", "an Airflow user's name", min_length=1, max_length=250)]
ColumnName = Annotated[str, _text(r"^.*\S.*$", "a column's name", min_length=1, max_length=200)]
ChannelName = Annotated[
    str,
    _text(
        r"^[A-Za-z0-9.\-_]+$", "letters, digits, dots, hyphens and underscores", min_length=1, max_length=64
    ),
]
# The service takes any text; a name that is a flag of the script's has no spaces.
HyperparameterName = Annotated[
    str, _text(r"^[\w.\-]+$", "letters, digits, dots, hyphens and underscores", min_length=1, max_length=256)
]
Outcome = Literal["released", "rejected", "rolled_back", "rollback_failed", "refused", "failed", "torn_down"]
# What a message may be about: how a release, a retraining or a batch ended, or what is waited for.
Notice = Literal[
    Outcome,
    "waiting_for_approval",
    "held",
    "drift",
    "registered",
    "data_refused",
    "model_refused",
    "retrain_failed",
    "batch_delivered",
    "batch_partial",
    "batch_failed",
]
NOTICES: Final[tuple[Notice, ...]] = get_args(Notice)

_ENVIRONMENT_ENTRIES = 100
_ENVIRONMENT_BYTES = 32 * 1024  # all keys and values together: CreateModel's guide, ContainerDefinition


def within_total(environment: dict[str, str], at: tuple[str | int, ...] = ()) -> dict[str, str]:
    """Return the environment, or raise Unfit where it is larger than the service takes."""
    total = sum(len(key.encode()) + len(value.encode()) for key, value in environment.items())
    if total > _ENVIRONMENT_BYTES:
        raise Unfit(
            at=at,
            found=f"{total} bytes of keys and values, the model's included",
            expected=f"at most {_ENVIRONMENT_BYTES} bytes in all",
        )
    if len(environment) > _ENVIRONMENT_ENTRIES:
        raise Unfit(
            at=at,
            found=f"{len(environment)} variables, the model's included",
            expected=f"at most {_ENVIRONMENT_ENTRIES}",
        )
    return environment


def _closed(schema: dict[str, Any]) -> None:
    # pydantic puts the values' schema under the keys' pattern, and JSON Schema lets other keys pass.
    ((pattern, values),) = schema.pop("patternProperties").items()
    schema["propertyNames"] = {"type": "string", **schema.get("propertyNames", {}), "pattern": pattern}
    schema["additionalProperties"] = values


Prices = Annotated[
    dict[InstanceType, Annotated[float, Field(gt=0, le=100_000)]],
    Field(max_length=100, json_schema_extra=_closed),
]
EnvironmentVariables = Annotated[
    dict[
        Annotated[
            str,
            _text(
                r"^[a-zA-Z_][a-zA-Z0-9_]*$",
                "a variable's name: letters, digits and underscores, no digit first",
                max_length=1024,
            ),
        ],
        Annotated[str, Field(max_length=1024)],
    ],
    Field(max_length=_ENVIRONMENT_ENTRIES, json_schema_extra=_closed),
    AfterValidator(within_total),
]


def _not_reserved(key: str) -> str:
    for prefix, owner in (("aws:", "AWS"), ("endpoint-deploy:", "the pipeline's own tags")):
        if key.lower().startswith(prefix):
            raise Unfit(found=f"the key {key!r}", expected=f"a key without {prefix}, kept for {owner}")
    return key


_TAG = r"^[\w .:/=+\-@]*$"
_TAG_SAYS = "letters, digits, spaces and _ . : / = + - @"

# The service takes 50 tags; twelve are left to the pipeline's own.
Tags = Annotated[
    dict[
        Annotated[str, _text(_TAG, _TAG_SAYS, min_length=1, max_length=128), AfterValidator(_not_reserved)],
        Annotated[str, _text(_TAG, _TAG_SAYS, max_length=256)],
    ],
    Field(max_length=38, json_schema_extra=_closed),
]


def unique(what: str, attribute: str | None = None) -> AfterValidator:
    """A validator that refuses a list in which two items, or an attribute of theirs, are the same."""

    def check(items: tuple[object, ...]) -> tuple[object, ...]:
        seen: set[object] = set()
        for index, item in enumerate(items):
            value = getattr(item, attribute) if attribute else item
            if value in seen:
                at = (index, attribute) if attribute else (index,)
                raise Unfit(at=at, found=f"the {what} {value!r} again", expected="each of them once")
            seen.add(value)
        return items

    return AfterValidator(check)


_PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@yearly")
_CRON_FIELDS = 5


def _schedulable(cron: str) -> str:
    # What Airflow cannot read would fail the DAG file, and with it every other deployment in it.
    if cron in _PRESETS or (len(cron.split()) == _CRON_FIELDS and croniter.is_valid(cron)):
        return cron
    raise Unfit(
        found=repr(cron),
        expected=f"a cron expression of five fields, e.g. '0 6 * * 1', or one of {' '.join(_PRESETS)}",
    )


Cron = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_schedulable)]
