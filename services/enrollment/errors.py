"""What enrollment refuses, each by what happened."""

from services.common.errors import Conflict, Invalid, NotFound


class UnknownUnit(NotFound):
    """No such unit, or not one of the caller's."""

    code = "UNKNOWN_UNIT"


class UnknownMember(NotFound):
    """No such member, or not one of the caller's."""

    code = "UNKNOWN_MEMBER"


class IdTailDiffers(NotFound):
    """Not the end of this member's identity number."""

    code = "ID_TAIL_DIFFERS"


class PayeeMoved(Conflict):
    """The card has been corrected since, and to another one."""

    code = "PAYEE_MOVED"


class UnknownRoster(NotFound):
    """No such roster, or not one of the caller's."""

    code = "UNKNOWN_ROSTER"


class MissingField(Invalid):
    """A field that must be filled is empty."""

    code = "MISSING_FIELD"


class BadDate(Invalid):
    """A day is written YYYY-MM-DD."""

    code = "BAD_DATE"


class BadName(Invalid):
    """Not a name: too long, or with signs that do not print."""

    code = "BAD_NAME"


class BadPhone(Invalid):
    """Not a mobile number."""

    code = "BAD_PHONE"


class BadCard(Invalid):
    """Not a card number."""

    code = "BAD_CARD"


class RosterMoved(Conflict):
    """Another worker has taken this roster on."""

    code = "ROSTER_MOVED"


class MemberAppeared(Conflict):
    """Another worker has just enrolled one of these members."""

    code = "MEMBER_APPEARED"
