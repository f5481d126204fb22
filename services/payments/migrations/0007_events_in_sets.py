"""Events wait and travel in sets."""

from services.common.kit import migrate, outbox

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    migrate.execute(outbox.SETS_DDL)
