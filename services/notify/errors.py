"""What notify refuses, by what happened."""

from services.common.errors import Invalid, NotFound, Unavailable


class BadPhone(Invalid):
    """The phone is not a mobile number of eleven digits."""

    code = "BAD_PHONE"


class UnknownMember(NotFound):
    """Nobody here goes by this id, or the caller may not see them."""

    code = "UNKNOWN_MEMBER"


class MendCodeUnknown(NotFound):
    """No such code, or it has been used, tried too often, or has expired."""

    code = "MEND_CODE_UNKNOWN"


class BadCursor(Invalid):
    """The cursor was not given out by this list."""

    code = "BAD_CURSOR"


class ReportUnreadable(Invalid):
    """The receipts are not a JSON array of the agreed form."""

    code = "REPORT_UNREADABLE"


class TextNotTaken(Unavailable):
    """The SMS provider takes no text now; nothing was sent."""

    code = "TEXT_NOT_TAKEN"
