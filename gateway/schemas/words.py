"""The words that all audiences share; amounts are yuan with two decimals, as text."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Yuan = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,16}\.[0-9]{2}$")]
# A segment of a service's URL: no dot in front, so that it can never mean another folder.
Segment = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,128}$")]
SixDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^(\+86|0086|86)?1[3-9][0-9]{9}$")]
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:=~-]{1,200}$")]
PageSize = Annotated[int, Field(ge=1, le=100)]


class Asked(BaseModel):
    """What comes in: a field that nobody knows is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Nothing(BaseModel):
    """An answer whose status says it all."""
