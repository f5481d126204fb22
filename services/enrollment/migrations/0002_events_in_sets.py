"""Events wait and travel in sets."""

from services.common.kit import migrate, outbox

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    migrate.execute(outbox.SETS_DDL)
