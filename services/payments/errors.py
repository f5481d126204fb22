"""What payments refuses, and what it makes of an answer that cannot be used."""

from services.common.errors import Invalid, NotFound


class UnknownMember(NotFound):
    """There is no such member in the caller's reach."""

    code = "UNKNOWN_MEMBER"


class UnknownCursor(Invalid):
    """The cursor is not one that a page has given."""

    code = "UNKNOWN_CURSOR"


class PayeeUnusable(Invalid):
    """The name or card cannot be written into a bank's file."""

    code = "PAYEE_UNUSABLE"


class ResultUnusable(Invalid):
    """The bank's result file is cut short, garbled, or its sums do not agree with its lines."""

    code = "RESULT_UNUSABLE"
