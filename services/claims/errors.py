"""What claims refuses."""

from collections.abc import Sequence

from services.common.errors import Conflict, Invalid, NotFound


class UnknownClaim(NotFound):
    """There is no such claim."""

    code = "UNKNOWN_CLAIM"


class UnknownSettlement(NotFound):
    """There is no such settlement."""

    code = "UNKNOWN_SETTLEMENT"


class UnknownFeed(NotFound):
    """There is no such feed."""

    code = "UNKNOWN_FEED"


class FeedMoved(Conflict):
    """Another worker has taken this feed further."""

    code = "FEED_MOVED"


class AlreadyCancelled(Conflict):
    """The settlement has been taken back already."""

    code = "ALREADY_CANCELLED"


class FeedUnreadable(Invalid):
    """The file cannot be read as a settlement feed."""

    code = "UNREADABLE_FILE"


class FeedWrongEncoding(FeedUnreadable):
    """The file is neither UTF-8 nor GB18030."""

    code = "WRONG_ENCODING"


class FeedMissingColumn(FeedUnreadable):
    """The header lacks a column of the settlement interface, or has one twice."""

    code = "MISSING_COLUMN"


class FeedEmpty(FeedUnreadable):
    """The file holds no line."""

    code = "EMPTY_FILE"


class PostsCollide(Conflict):
    """The same settlement is being posted elsewhere at this moment."""

    code = "POSTS_COLLIDE"


class UnknownMember(NotFound):
    """There is no such member."""

    code = "UNKNOWN_MEMBER"


class CannotBeJudged(Conflict):
    """No plan of the member can judge the bill; the detail says why."""

    code = "CANNOT_BE_JUDGED"


class UnknownScheme(NotFound):
    """There is no such scheme."""

    code = "UNKNOWN_SCHEME"


class UnknownDraft(NotFound):
    """There is no such draft of this scheme."""

    code = "UNKNOWN_DRAFT"


class UnknownBacktest(NotFound):
    """There is no such backtest."""

    code = "UNKNOWN_BACKTEST"


class BacktestNotDone(Conflict):
    """The backtest is not done; there is nothing to show of it yet."""

    code = "BACKTEST_NOT_DONE"


class DiagnosisIsSealed(Invalid):
    """The draft asks settlements for diagnoses, which a backtest does not open."""

    code = "DIAGNOSIS_IS_SEALED"


class BacktestMissing(Conflict):
    """The draft has not been tried on any claims; nobody knows what it would cost."""

    code = "BACKTEST_MISSING"


class SamePerson(Conflict):
    """Who drafted an edition does not publish it."""

    code = "SAME_PERSON"


class DraftOutdated(Conflict):
    """Another edition has been published since this draft was made; make it anew on that one."""

    code = "DRAFT_OUTDATED"


class CasesDisagree(Conflict):
    """Worked cases of the draft promise something else than its figures give."""

    code = "CASES_DISAGREE"

    def __init__(self, cases: Sequence[str]) -> None:
        super().__init__(", ".join(cases))
        self.places = cases


class EditionChangesThePast(Conflict):
    """The draft changes what holds today or held before; an edition begins tomorrow or later."""

    code = "EDITION_CHANGES_THE_PAST"

    def __init__(self, figures: Sequence[str]) -> None:
        super().__init__(", ".join(figures))
        self.places = figures
