"""The identity behind the request that is being answered."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from local_sagemaker.account import ACCOUNT_ID


@dataclass(frozen=True)
class Caller:
    """A principal: its ARN, as `sts get-caller-identity` gives it, and its unique id."""

    arn: str
    principal_id: str


ROOT = Caller(f"arn:aws:iam::{ACCOUNT_ID}:root", ACCOUNT_ID)
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=ROOT)


def user_context() -> dict[str, Any]:
    """`UserContext` of the request being answered: `CreatedBy`, `LastModifiedBy`."""
    caller = current_caller.get()
    return {"IamIdentity": {"Arn": caller.arn, "PrincipalId": caller.principal_id}}
