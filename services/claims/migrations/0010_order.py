"""Feeds under way begin again, for their rows come in another order from here on.

How far one is counts rows in that order, so it would pass over rows that nobody has judged. What is
booked of it is known by its key, and counted as duplicate.
"""

from services.common.kit import migrate

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    delete from feed_refusal using feed f
    where feed_refusal.feed_id = f.feed_id and f.status = 'running'
    """,
    """
    update feed set status = 'queued', lines = 0, done = 0, settled = 0, rejected = 0, reversed = 0,
        duplicate = 0, refused = 0, benefit_fen = 0
    where status = 'running'
    """,
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
