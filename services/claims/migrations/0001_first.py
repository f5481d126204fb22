"""The first shape of the books."""

from alembic import op

from services.claims.tables import metadata
from services.common.kit import consumer, migrate, outbox, positions

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind(), checkfirst=False)
    migrate.execute((*outbox.DDL, *positions.DDL, *consumer.DEAD_LETTERS_DDL))
