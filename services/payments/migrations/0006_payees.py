"""A payee changes once in some years: its page holds many, for every payout reads one."""

from services.common.kit import migrate

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    migrate.execute(("alter table payee set (fillfactor = 90)",))
