"""A batch knows on which days of the ledger its payments stand, so that nobody adds them up."""

from services.common.kit import migrate

revision = "0009"
down_revision = "0008"

# Of batches that were paid before this nobody says it: their entries are asked.
DAYS = (
    "alter table batch add column paid_from date",
    "alter table batch add column paid_until date",
    """
    alter table batch add constraint batch_paid_days
        check ((paid_from is null) = (paid_until is null) and paid_from <= paid_until)
    """,
)


def upgrade() -> None:
    migrate.execute(DAYS)
