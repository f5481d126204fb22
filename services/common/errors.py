"""The kinds of refusal, drawn as a tree; none of them has heard of HTTP."""

from typing import ClassVar


class DomainError(Exception):
    """Refused."""

    # Stable, for programs. The class's sentence is for people; neither holds personal data.
    code: ClassVar[str] = "REFUSED"


class Invalid(DomainError):
    """What was sent cannot be used."""

    code = "INVALID"


class Unauthorized(DomainError):
    """Who is asking is not known."""

    code = "UNAUTHORIZED"


class Forbidden(DomainError):
    """Who is asking may not do this."""

    code = "FORBIDDEN"


class NotFound(DomainError):
    """There is no such thing."""

    code = "NOT_FOUND"


class Conflict(DomainError):
    """It does not go with what is already there."""

    code = "CONFLICT"


class Unavailable(DomainError):
    """Not now; ask again later."""

    code = "UNAVAILABLE"
