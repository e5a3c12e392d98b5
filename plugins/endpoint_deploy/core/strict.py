"""The base of everything that is read or kept: frozen, and closed to what nobody knows."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Frozen, and a key nobody knows is an error rather than a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")
