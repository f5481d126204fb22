"""The first shape of the books."""

from alembic import op

from services.common.kit import consumer, migrate, outbox, positions
from services.payments.tables import metadata

revision = "0001"
down_revision = None

# What is written in the ledger stays; a mistake is put right by another entry.
LEDGER_STAYS = (
    """
    create function ledger_stays() returns trigger language plpgsql as $$
    begin
        raise exception 'the ledger is append-only' using errcode = 'restrict_violation';
    end $$
    """,
    """
    create trigger ledger_stays before update or delete or truncate on ledger
    for each statement execute function ledger_stays()
    """,
)
# A file is sealed, so it does not compress; append-only and updated-in-place rows need no vacuum
# while a feed runs.
STORAGE = (
    "alter table batch alter column sealed_file set storage external",
    "alter table ledger set (autovacuum_vacuum_insert_threshold = -1)",
    *(
        f"""
        alter table {table}
        set (autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_scale_factor = 1)
        """
        for table in ("balance", "payout", "attempt")
    ),
    # The queue is short and its rows come and go: cleaned often, it stays small.
    """
    alter table ready_queue
    set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind(), checkfirst=False)
    migrate.execute((*LEDGER_STAYS, *STORAGE))
    migrate.execute((*outbox.DDL, *positions.DDL, *consumer.DEAD_LETTERS_DDL))
