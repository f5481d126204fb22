"""What payments refuses, and what it makes of an answer that cannot be used."""

from services.common.errors import Conflict, Forbidden, Invalid, NotFound


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


class UnknownBatch(NotFound):
    """There is no such batch."""

    code = "UNKNOWN_BATCH"


class NothingToApprove(Conflict):
    """The batch does not await approval (any more)."""

    code = "BATCH_NOT_AWAITING_APPROVAL"


class ApprovedAlready(Conflict):
    """This person has approved the batch; another has to."""

    code = "APPROVED_ALREADY"


class UnknownAct(NotFound):
    """There is no such proposal."""

    code = "UNKNOWN_ACT"


class ActDecided(Conflict):
    """The proposal is confirmed or refused already."""

    code = "ACT_DECIDED"


class TwoPeopleNeeded(Forbidden):
    """Whoever proposes does not confirm."""

    code = "TWO_PEOPLE_NEEDED"


class ActImpossible(Conflict):
    """What was proposed cannot be done as things are now."""

    code = "ACT_IMPOSSIBLE"


class UnknownMonth(NotFound):
    """The books do not reach back to that month, or it has not begun."""

    code = "UNKNOWN_MONTH"


class UnknownPayout(NotFound):
    """There is no such paid payout in the caller's reach."""

    code = "UNKNOWN_PAYOUT"


class UnknownDoubt(NotFound):
    """There is no such transfer in doubt."""

    code = "UNKNOWN_DOUBT"


class ReceiptUnusable(Invalid):
    """What is expected has no fund, no amount above 0 or no reference of 6 to 40 letters."""

    code = "RECEIPT_UNUSABLE"


class ReferenceTaken(Conflict):
    """The fund has given this reference before."""

    code = "REFERENCE_TAKEN"


class UnknownReceipt(NotFound):
    """There is no such receipt, or it has come already."""

    code = "UNKNOWN_RECEIPT"


class UnknownFund(NotFound):
    """There is no such fund."""

    code = "UNKNOWN_FUND"


class BadSpan(Invalid):
    """The days are in the wrong order, more than a year, or of another century."""

    code = "BAD_SPAN"
