"""Room beside each message for the two states that it comes to."""

from services.common.kit import migrate

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # A text is sent and reported within seconds, while a set of thousands is still being told:
    # then nothing is cleared from the page between the two, and it has to hold all three states.
    # At 40 every fifth update of a year went to another page, and into both indexes.
    "alter table message set (fillfactor = 30)",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
