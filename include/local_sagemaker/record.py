"""What every record in the store is."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Common to all: refuse what it does not know, so that a state directory of another age is noticed."""

    model_config = ConfigDict(extra="forbid")
