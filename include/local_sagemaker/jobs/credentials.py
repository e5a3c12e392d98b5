"""What a job's own AWS calls need: where to go, and as whom."""

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from local_sagemaker.account import ACCOUNT_ID
from local_sagemaker.backing.moto import Moto

_SESSION_NAME = "SageMaker"
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "SessionToken",
}


def role_credentials(
    moto: Moto, endpoint_url: str, region: str
) -> Callable[[str], Awaitable[Mapping[str, str]]]:
    """Gives, for a role's ARN, the variables by which every AWS SDK reaches this server as that role.

    A container on the service has the same from its instance: it need not name a region or a key. A role
    of another account gets keys of no identity: moto would show it that account's empty S3.
    """
    places = {"AWS_ENDPOINT_URL": endpoint_url, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    anonymous = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nobody"}

    async def credentials(role_arn: str) -> Mapping[str, str]:
        keys = await _assume(moto, role_arn) if f"::{ACCOUNT_ID}:" in role_arn else None
        return {**places, **(keys or anonymous)}

    return credentials


async def _assume(moto: Moto, role_arn: str) -> dict[str, str] | None:
    parameters = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": role_arn,
        "RoleSessionName": _SESSION_NAME,
    }
    headers = {**moto.signed_for("sts"), "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    async with moto.request("POST", "/", headers, urlencode(parameters).encode()) as response:
        text = await response.text()
    found = {name: re.search(rf"<{tag}>([^<]+)</{tag}>", text) for name, tag in _VARIABLES.items()}
    keys = {name: match[1] for name, match in found.items() if match}
    return keys if response.ok and len(keys) == len(_VARIABLES) else None
