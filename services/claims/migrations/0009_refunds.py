"""Refunds are found by themselves; a settlement's key begins with what tells its time."""

from services.common.kit import migrate

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "create index settlement_refund on settlement (setl_id, fixmedins_code) where refund",
    """
    alter table settlement drop constraint settlement_key,
        add constraint settlement_key unique (setl_id, fixmedins_code, refund)
    """,
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
