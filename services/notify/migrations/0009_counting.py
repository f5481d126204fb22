"""The lists in a call are not counted: nothing is searched by them, and each sample reads all."""

from services.common.kit import migrate

revision = "0009"
down_revision = "0008"

LISTS = ("message_ids", "phone_indexes", "delivered", "receipt_codes", "receipt_ats")


def upgrade() -> None:
    migrate.execute(f"alter table dispatch alter column {name} set statistics 0" for name in LISTS)
