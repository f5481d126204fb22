"""The table that is asked about one row at a time; migrations hold all shapes.

Sets go past this definition, straight to the driver (store).
"""

from typing import Final

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

metadata: Final = MetaData()

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
