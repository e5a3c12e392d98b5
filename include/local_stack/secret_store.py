"""Keys and passwords of one stack, generated when the stack is first started."""

import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import BaseModel, ConfigDict

from local_stack.paths import StatePaths

_PASSWORD_BYTES = 9
_KEY_BYTES = 32


class StackSecrets(BaseModel):
    """What Airflow signs and encrypts with, and the two logins of its UI."""

    model_config = ConfigDict(frozen=True)

    fernet_key: str
    jwt_secret: str
    api_secret_key: str
    admin_password: str
    viewer_password: str
    database_password: str
    """Of the containers' PostgreSQL and Redis; the native stack's have sockets and files instead."""
    broker_password: str


def load_or_create_secrets(paths: StatePaths) -> StackSecrets:
    """Read the stack's secrets, generating them where there are none.

    They stay for as long as the state directory does: the metadata database holds values encrypted with
    the Fernet key, and a browser's session outlives a restart.
    """
    if paths.secrets.exists():
        return StackSecrets.model_validate_json(paths.secrets.read_text())
    made = StackSecrets(
        fernet_key=Fernet.generate_key().decode(),
        jwt_secret=secrets.token_urlsafe(_KEY_BYTES * 2),
        api_secret_key=secrets.token_urlsafe(_KEY_BYTES),
        admin_password=secrets.token_urlsafe(_PASSWORD_BYTES),
        viewer_password=secrets.token_urlsafe(_PASSWORD_BYTES),
        database_password=secrets.token_urlsafe(_KEY_BYTES),
        broker_password=secrets.token_urlsafe(_KEY_BYTES),
    )
    write_private(paths.passwords, json.dumps({"admin": made.admin_password, "viewer": made.viewer_password}))
    write_private(paths.secrets, made.model_dump_json(indent=2))
    return made


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` in one step, readable by the owner alone from the first byte on."""
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)
