"""What claims refuses."""

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
