"""What the banks show of our accounts, and what is expected there."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.payments.tables.declared import metadata

# A line of the bank's on an account of ours, kept once, whether a movement told of it or a
# statement; who is on the other side lies sealed.
bank_line = Table(
    "bank_line",
    metadata,
    Column("line_id", Uuid, primary_key=True),
    Column("fund_id", Text, nullable=False),
    Column("bank_ref", Text, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("direction", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("batch_no", Text, nullable=False),
    Column("instruction_id", Text, nullable=False),
    Column("bank_code", Text, nullable=False),
    Column("return_reason", Text, nullable=False),
    Column("remark", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("batch_id", Uuid),
    Column("payout_id", Uuid),
    Column("attempt_no", SmallInteger),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("match_id", Uuid),
    Column("round", SmallInteger, nullable=False, server_default="0"),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("matched_at", DateTime(timezone=True)),
    UniqueConstraint("fund_id", "bank_ref", name="bank_line_ref"),
    CheckConstraint("amount_fen > 0", name="bank_line_amount"),
    CheckConstraint("direction in ('credit', 'debit')", name="bank_line_direction"),
    CheckConstraint("state in ('new', 'matched', 'exception', 'void')", name="bank_line_state"),
    CheckConstraint("(state = 'exception') = (reason is not null)", name="bank_line_reason"),
    Index("bank_line_day", "fund_id", "booked_on"),
    Index(
        "bank_line_open",
        "fund_id",
        "booked_on",
        postgresql_where=text("state in ('new', 'exception')"),
    ),
    Index("bank_line_batch", "batch_id", postgresql_where=text("batch_id is not null")),
    Index("bank_line_match", "match_id", postgresql_where=text("match_id is not null")),
    # A transfer is shown by one debit, and given back by one line.
    Index(
        "bank_line_transfer",
        "payout_id",
        "attempt_no",
        text("(kind = 'payout')"),
        unique=True,
        postgresql_where=text("state = 'matched' and payout_id is not null"),
    ),
    postgresql_with={"fillfactor": 70},
)

# A day of an account: asked for from its first movement on, until it is there.
bank_statement = Table(
    "bank_statement",
    metadata,
    Column("fund_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("asked_at", DateTime(timezone=True)),
    Column("read_at", DateTime(timezone=True)),
    Column("opening_fen", BigInteger),
    Column("closing_fen", BigInteger),
    Column("lines", Integer),
    CheckConstraint(
        "num_nulls(read_at, opening_fen, closing_fen, lines) in (0, 4)",
        name="bank_statement_whole",
    ),
    Index("bank_statement_due", "fund_id", "day", postgresql_where=text("read_at is null")),
)

# What is expected to come in or to go out, by the reference that the other side will name.
receipt = Table(
    "receipt",
    metadata,
    Column("receipt_id", Uuid, primary_key=True),
    Column("fund_id", Text, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("entered_by", Uuid, nullable=False),
    Column("entered_at", DateTime(timezone=True), nullable=False),
    Column("match_id", Uuid),
    Column("round", SmallInteger, nullable=False, server_default="0"),
    CheckConstraint("amount_fen > 0", name="receipt_amount"),
    CheckConstraint(
        "kind in ('member_contributions', 'union_subsidy', 'membership_fees', 'allotted',"
        " 'handed_up')",
        name="receipt_kind",
    ),
    Index(
        "receipt_reference",
        "fund_id",
        "reference",
        unique=True,
        postgresql_where=text("reference <> ''"),
    ),
    Index("receipt_open", "fund_id", "entered_at", postgresql_where=text("match_id is null")),
    Index("receipt_match", "match_id", postgresql_where=text("match_id is not null")),
)

# What one side had on `from_day` and the other only on `until_day`: cleared, and still to be shown
# for the days between. Rows are added, and taken back by their negative.
outstanding = Table(
    "outstanding",
    metadata,
    Column("outstanding_no", BigInteger, Identity(always=True), primary_key=True),
    Column("fund_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("from_day", Date, nullable=False),
    Column("until_day", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("items", Integer, nullable=False),
    CheckConstraint("side in ('bank', 'book')", name="outstanding_side"),
    CheckConstraint("from_day < until_day", name="outstanding_span"),
    Index("outstanding_until", "fund_id", "until_day"),
)
