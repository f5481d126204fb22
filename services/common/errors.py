"""The kinds of refusal, drawn as a tree; none of them has heard of HTTP."""

from typing import ClassVar


class DomainError(Exception):
    """A refusal: `code` is stable, `facts` go to the caller as they are, never personal data."""

    code: ClassVar[str] = "REFUSED"

    def __init__(self, detail: str = "", **facts: str | int) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.facts = facts


class Invalid(DomainError):
    code = "INVALID"


class Unauthenticated(DomainError):
    code = "UNAUTHENTICATED"


class Forbidden(DomainError):
    code = "FORBIDDEN"


class NotFound(DomainError):
    code = "NOT_FOUND"


class Conflict(DomainError):
    code = "CONFLICT"


class TooMany(DomainError):
    code = "TOO_MANY"


class Unavailable(DomainError):
    code = "UNAVAILABLE"
