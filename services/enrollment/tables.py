"""The tables of enrollment, as its first migration makes them."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

units: Final = Table(
    "units",
    metadata,
    Column("unit_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("staff_count", Integer, nullable=False),
    Column("officers", LargeBinary, nullable=False),
    Column("officers_version", Integer, nullable=False),
    UniqueConstraint("code"),
    CheckConstraint("staff_count >= 0", "staff_count"),
)

rosters: Final = Table(
    "rosters",
    metadata,
    Column("roster_id", Uuid, primary_key=True),
    Column("unit_code", Text, ForeignKey("units.code"), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("code", Text),
    Column("encoding", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    # The transaction that wrote the roster's last events: they are all out once these are.
    Column("events_xid", Text),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    CheckConstraint("status in ('queued', 'running', 'done', 'refused')", "status"),
    CheckConstraint("accepted + refused + unchanged = done", "sum"),
    CheckConstraint("done <= rows", "done"),
)

roster_refusals: Final = Table(
    "roster_refusals",
    metadata,
    Column("roster_id", Uuid, nullable=False),
    Column("row", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("code", Text, nullable=False),
    PrimaryKeyConstraint("roster_id", "row", "field"),
)

# Bulk tables carry no foreign keys: what they point to is written in the same transaction, is
# never deleted, and a check per row would cost as much as the row.
members: Final = Table(
    "members",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("identity_index", LargeBinary, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("person", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("payee_version", Integer, nullable=False),
    Column("contact_version", Integer, nullable=False),
    UniqueConstraint("identity_index"),
)

# A table of its own: an index on a column that changes would slow down every change of a member.
member_phones: Final = Table(
    "member_phones",
    metadata,
    Column("phone_index", LargeBinary, nullable=False),
    Column("member_id", Uuid, nullable=False),
    PrimaryKeyConstraint("phone_index", "member_id"),
)

coverages: Final = Table(
    "coverages",
    metadata,
    Column("member_id", Uuid, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("coverage_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("units", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("member_id", "scheme_id"),
    CheckConstraint("ends_on >= starts_on", "days"),
    CheckConstraint("units > 0", "units"),
)
