"""The tables that are asked about one row or one page at a time; migrations hold all shapes.

Sets go past these definitions, straight to the driver (store).
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

metadata: Final = MetaData()

message: Final = Table(
    "message",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("payout_id", Uuid, nullable=False),
    Column("attempt_no", Integer, nullable=False),
    Column("template", Text, nullable=False),
    Column("recipient_no", SmallInteger, nullable=False),
    Column("payee_version", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason", Text),
    Column("booked_on", Date),
    Column("days", SmallInteger),
    Column("contact_version", Integer),
    Column("unit_code", Text),
    Column("officers_version", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text),
    Column("sent_at", DateTime(timezone=True)),
    Column("receipt", Text),
    Column("receipt_code", Text),
    Column("receipt_at", DateTime(timezone=True)),
    Index("message_member", "member_id"),
)
login_code: Final = Table(
    "login_code",
    metadata,
    Column("code_id", Uuid, primary_key=True),
    Column("phone_index", LargeBinary, nullable=False),
    Column("phone", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text),
    Column("receipt", Text),
    Column("receipt_code", Text),
    Column("receipt_at", DateTime(timezone=True)),
    Index("login_code_phone", "phone_index", "created_at"),
)
