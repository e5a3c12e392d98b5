"""The field types of a spec, each with the limit that SageMaker's API model sets for it.

Limits are those of the service's own shapes (botocore's `sagemaker/2017-07-24` model), so that what passes
here is not refused for its form by CreateModel, CreateEndpointConfig or CreateEndpoint.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

# Names that AWS resources are built from: short enough that name, environment, variant and digest
# together stay within the service's 63 characters.
_WORD = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"

DeploymentName = Annotated[str, StringConstraints(pattern=_WORD, min_length=1, max_length=32)]
Environment = Annotated[str, StringConstraints(pattern=_WORD, min_length=1, max_length=12)]
# A staged release adds `-` and eight hex digits to a variant's name.
VariantName = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$", min_length=1, max_length=54)
]
EndpointName = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", min_length=1, max_length=63)
]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
RoleArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$", min_length=20, max_length=2048
    ),
]
TopicArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z\-]*:sns:[a-z0-9\-]+:\d{12}:[\w.\-]+$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$")]
ImageUri = Annotated[str, StringConstraints(pattern=r"^[\S]+$", min_length=1, max_length=255)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
S3Prefix = Annotated[
    str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/[^\s]*)?$", max_length=512)
]
ArtifactUri = Annotated[
    str,
    StringConstraints(
        pattern=r"^s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]/([^\s]*/)?[^\s/]+\.tar\.gz$", max_length=1024
    ),
]
AlarmName = Annotated[str, StringConstraints(pattern=r"^.*\S.*$", min_length=1, max_length=255)]
ConnectionId = Annotated[str, StringConstraints(pattern=r"^[\w.\-]+$", min_length=1, max_length=200)]
ContentType = Annotated[str, StringConstraints(pattern=r"^[\w.+\-]+/[\w.+\-]+(\s*;\s*.+)?$", max_length=1024)]
RelativePath = Annotated[str, StringConstraints(pattern=r"^[^\s/\\][^\\]*$", max_length=500)]
Outcome = Literal["released", "rolled_back", "rollback_failed", "refused", "failed"]

_ENVIRONMENT_BYTES = 32 * 1024  # all keys and values together: CreateModel's guide, ContainerDefinition
_CRON_FIELDS = 5


def within_total(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment, or raise ValueError where it is larger than the service takes."""
    total = sum(len(key.encode()) + len(value.encode()) for key, value in environment.items())
    if total > _ENVIRONMENT_BYTES:
        raise ValueError(f"{total} bytes of keys and values; at most {_ENVIRONMENT_BYTES} in all")
    return environment


EnvironmentVariables = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=1024)],
        Annotated[str, StringConstraints(max_length=1024)],
    ],
    Field(max_length=100),
    AfterValidator(within_total),
]


def _no_aws_prefix(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError(f"{key!r} starts with aws:, which is reserved; choose another key")
    if key.startswith("endpoint-deploy:"):
        raise ValueError(f"{key!r} starts with endpoint-deploy:, which the pipeline's own tags use")
    return key


# The service takes 50 tags; twelve are left to the pipeline's own.
Tags = Annotated[
    dict[
        Annotated[
            str,
            StringConstraints(pattern=r"^[\w\s.:/=+\-@]*$", min_length=1, max_length=128),
            AfterValidator(_no_aws_prefix),
        ],
        Annotated[str, StringConstraints(pattern=r"^[\w\s.:/=+\-@]*$", max_length=256)],
    ],
    Field(max_length=38),
]


def unique(what: str, key: Callable[[object], object]) -> AfterValidator:
    """A validator that refuses a list in which two items share a key."""

    def check(items: tuple[object, ...]) -> tuple[object, ...]:
        seen: set[object] = set()
        for item in items:
            if (value := key(item)) in seen:
                raise ValueError(f"{what} {value!r} is given twice; each must be unique")
            seen.add(value)
        return items

    return AfterValidator(check)


def _five_fields(cron: str) -> str:
    if cron.startswith("@"):
        if cron not in {"@hourly", "@daily", "@weekly", "@monthly", "@yearly"}:
            raise ValueError(f"{cron!r} is no preset; one of @hourly @daily @weekly @monthly @yearly")
    elif len(cron.split()) != _CRON_FIELDS:
        raise ValueError(f"{cron!r} has {len(cron.split())} fields; a cron expression has {_CRON_FIELDS}")
    return cron


Cron = Annotated[str, AfterValidator(_five_fields)]
