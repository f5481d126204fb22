"""The ledger, what lies in the funds, and closed days and months."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

from services.payments.model.ledger import Account
from services.payments.tables.declared import metadata

_ACCOUNTS = ", ".join(f"'{account}'" for account in Account)

# What lies in a fund, moved along with the ledger's entries; `low_since` while its payouts wait for
# money, and how far its account's movements have been read.
fund = Table(
    "fund",
    metadata,
    Column("fund_id", Text, primary_key=True),
    Column("bank_fen", BigInteger, nullable=False),
    Column("in_transit_fen", BigInteger, nullable=False),
    Column("low_since", DateTime(timezone=True)),
    Column("movements_mark", Text, nullable=False, server_default=""),
    CheckConstraint("in_transit_fen >= 0", name="fund_in_transit"),
    postgresql_with={"fillfactor": 20},
)

# Double entry, balanced by construction: a row moves an amount from one account to another.
ledger = Table(
    "ledger",
    metadata,
    Column("source_id", Uuid, nullable=False),
    Column("leg", Text, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("booked_at", DateTime(timezone=True), nullable=False),
    Column("entry_no", BigInteger, Identity(always=True), nullable=False),
    Column("fund_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    PrimaryKeyConstraint("source_id", "leg", name="ledger_key"),
    CheckConstraint("amount_fen > 0", name="ledger_amount"),
    CheckConstraint("debit <> credit", name="ledger_two_accounts"),
    CheckConstraint(f"debit in ({_ACCOUNTS}) and credit in ({_ACCOUNTS})", name="ledger_accounts"),
    Index("ledger_by_day", "day", "entry_no", postgresql_using="brin"),
)

# A closed day takes no entry any more; its root vouches for its entries in their order.
ledger_day = Table(
    "ledger_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("closed_at", DateTime(timezone=True), nullable=False),
)

ledger_root = Table(
    "ledger_root",
    metadata,
    Column("day", Date, ForeignKey("ledger_day.day"), primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

ledger_day_sum = Table(
    "ledger_day_sum",
    metadata,
    Column("day", Date, ForeignKey("ledger_day.day"), primary_key=True),
    Column("fund_id", Text, primary_key=True),
    Column("scheme_id", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("contra", Text, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("debit_fen", BigInteger, nullable=False),
    Column("credit_fen", BigInteger, nullable=False),
)

# A month that is closed, with all its days: what its trial balance comes to on either side.
ledger_month = Table(
    "ledger_month",
    metadata,
    Column("month", Text, primary_key=True),
    Column("last_day", Date, ForeignKey("ledger_day.day"), nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
    Column("act_id", Uuid, nullable=False),
    CheckConstraint("total_fen >= 0", name="ledger_month_total"),
)
