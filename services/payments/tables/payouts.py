"""What members are owed, its payouts, batches and attempts, and what two people do about them."""

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
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.payments.tables.declared import metadata

# Where a member's benefits go to; the member and the card come by events of their own, each with
# its own version, 0 while it has not come.
payee = Table(
    "payee",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("member_version", BigInteger, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("salt_wrapped", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("payee_unit", "unit_code"),
    postgresql_with={"fillfactor": 90},  # it hardly changes, and every payout reads one
)

# Per member and scheme. The open payouts' sum is kept by their own changes and must be, to the
# fen, what is owed: never more, and nothing owed is left without a payout.
balance = Table(
    "balance",
    metadata,
    Column("member_id", Uuid, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("granted_fen", BigInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("in_flight_fen", BigInteger, nullable=False),
    Column("open_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("member_id", "scheme_id", name="balance_key"),
    CheckConstraint("paid_fen >= 0", name="balance_paid"),
    CheckConstraint("in_flight_fen >= 0", name="balance_in_flight"),
    CheckConstraint(
        "open_fen = greatest(0, granted_fen - paid_fen - in_flight_fen)",
        name="balance_open_is_owed",
    ),
    postgresql_with={"fillfactor": 50},
)

payout = Table(
    "payout",
    metadata,
    Column("payout_id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("claim_id", Uuid, nullable=False),
    Column("period", Integer, nullable=False),
    Column("grant_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempt_no", SmallInteger, nullable=False),
    Column("payee_version", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("round", SmallInteger, nullable=False, server_default="0"),
    # The attempt that is under way, or was paid.
    Column("batch_id", Uuid),
    Column("line", Integer),
    Column("bank_serial", Text),
    Column("paid_on", Date),
    CheckConstraint(
        "amount_fen between 0 and greatest(0, grant_fen)", name="payout_within_its_grant"
    ),
    CheckConstraint(
        "state in ('awaiting_payee', 'ready', 'batched', 'paid', 'refused', 'returned',"
        " 'cancelled', 'netted')",
        name="payout_state",
    ),
    CheckConstraint(
        "(amount_fen = 0) = (state in ('cancelled', 'netted'))", name="payout_has_an_amount"
    ),
    CheckConstraint(
        "(state in ('batched', 'paid')) = (batch_id is not null)"
        " and (batch_id is null) = (line is null)",
        name="payout_in_a_batch",
    ),
    CheckConstraint(
        "(state = 'paid') = (paid_on is not null) and (paid_on is null) = (bank_serial is null)",
        name="payout_as_booked",
    ),
    Index("payout_member", "member_id"),
    postgresql_with={"fillfactor": 40},  # the outcome makes the row longer
)

# Payouts that may go into the next batch of their lane (a fund's payouts of one tier of approval),
# in the order they became ready, a set to a row. A payout that was cancelled meanwhile leaves its
# place behind; the cut passes over it.
ready_queue = Table(
    "ready_queue",
    metadata,
    Column("lane", Text, nullable=False),
    Column("queue_no", BigInteger, Identity(always=True), nullable=False),
    Column("payouts", SmallInteger, nullable=False),
    Column("payout_ids", ARRAY(Uuid), nullable=False),
    Column("member_ids", ARRAY(Uuid), nullable=False),
    Column("ready_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("lane", "queue_no", name="ready_queue_key"),
    CheckConstraint(
        "payouts > 0 and cardinality(payout_ids) = payouts and cardinality(member_ids) = payouts",
        name="ready_queue_whole",
    ),
)

# Ready, but held back: another payout of the member is on its way to another card.
held = Table(
    "held",
    metadata,
    Column("payout_id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("held_at", DateTime(timezone=True), nullable=False),
    Index("held_member", "member_id"),
)

# Refused and returned payouts that wait for somebody to act, and for how many days it was said so.
refusal = Table(
    "refusal",
    metadata,
    Column("payout_id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("reminded_days", Integer, nullable=False, server_default="0"),
)

# A payout's attempts, one per card and round, but the one that is under way or was paid: that lies
# in the payout's own row, and most payouts have no other. The view `attempt` has all of them, to be
# asked by payout, `batch_attempt` to be asked by batch. One without a batch was refused here,
# before any bank saw it. The instruction id at the bank is the payout's id and the attempt's
# number. That no card is tried twice in a round a trigger of `payout` sees to, for second attempts
# alone.
past_attempt = Table(
    "past_attempt",
    metadata,
    Column("payout_id", Uuid, nullable=False),
    Column("attempt_no", SmallInteger, nullable=False),
    Column("payee_version", BigInteger, nullable=False),
    Column("batch_id", Uuid),
    Column("line", Integer),
    Column("amount_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("bank_code", Text),
    Column("reason", Text),
    Column("bank_serial", Text),
    Column("paid_on", Date),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("round", SmallInteger, nullable=False, server_default="0"),
    Column("returned_on", Date),
    Column("returned_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("payout_id", "attempt_no", name="attempt_key"),
    UniqueConstraint("batch_id", "line", name="attempt_line"),
    CheckConstraint("amount_fen > 0", name="attempt_amount"),
    CheckConstraint("state in ('refused', 'returned', 'withdrawn')", name="attempt_state"),
    CheckConstraint("batch_id is not null or state = 'refused'", name="attempt_has_a_batch"),
)

# Who is in a batch, and to which of their cards, in the order of its lines, a set to a row.
batch_lines = Table(
    "batch_lines",
    metadata,
    Column("batch_id", Uuid, nullable=False),
    Column("first_line", Integer, nullable=False),
    Column("payout_ids", ARRAY(Uuid), nullable=False),
    Column("payee_versions", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("batch_id", "first_line"),
    CheckConstraint(
        "first_line > 0 and cardinality(payout_ids) > 0"
        " and cardinality(payee_versions) = cardinality(payout_ids)",
        name="batch_lines_whole",
    ),
)

# A batch as it was fixed: its bytes sealed until the bank's statement has shown it, their hash and
# sums for ever.
batch = Table(
    "batch",
    metadata,
    Column("batch_id", Uuid, primary_key=True),
    Column("batch_no", Text, nullable=False, unique=True),
    Column("file_name", Text, nullable=False, unique=True),
    Column("business_day", Date, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sealed_file", LargeBinary),
    Column("state", Text, nullable=False),
    Column("bank_code", Text),
    Column("cut_at", DateTime(timezone=True), nullable=False),
    Column("submitted_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("paid_lines", Integer, nullable=False, server_default="0"),
    Column("paid_fen", BigInteger, nullable=False, server_default="0"),
    Column("refused_lines", Integer, nullable=False, server_default="0"),
    Column("refused_fen", BigInteger, nullable=False, server_default="0"),
    Column("fund_id", Text, nullable=False),
    Column("tier", SmallInteger, nullable=False, server_default="0"),
    Column("refused_by", Uuid),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("shown_fen", BigInteger, nullable=False, server_default="0"),
    # The first and the last day of the ledger on which payments of it stand; of batches that were
    # paid before these columns came, nothing.
    Column("paid_from", Date),
    Column("paid_until", Date),
    CheckConstraint("shown_fen between 0 and paid_fen", name="batch_shown"),
    CheckConstraint(
        "(paid_from is null) = (paid_until is null) and paid_from <= paid_until",
        name="batch_paid_days",
    ),
    CheckConstraint(
        "state in ('awaiting_approval', 'fixed', 'recalled', 'submitting', 'submitted',"
        " 'unknown', 'closed', 'voided')",
        name="batch_state",
    ),
    CheckConstraint(
        "state <> 'closed' or (paid_lines + refused_lines = lines"
        " and paid_fen + refused_fen = total_fen)",
        name="batch_closed_adds_up",
    ),
    CheckConstraint(
        "case state when 'voided' then sealed_file is null"
        " when 'closed' then sealed_file is null or confirmed_at is null"
        " else sealed_file is not null end",
        name="batch_keeps_its_bytes",
    ),
    Index("batch_open", "cut_at", postgresql_where=text("state not in ('closed', 'voided')")),
    Index(
        "batch_unconfirmed",
        "fund_id",
        postgresql_where=text("confirmed_at is null and state <> 'voided'"),
    ),
)

# Who has approved which bytes of a batch.
approval = Table(
    "approval",
    metadata,
    Column("batch_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("part", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("batch_id", "person_id"),
    CheckConstraint("part in ('maker', 'checker')", name="approval_part"),
)

# Transfers of which nobody knows what became, each with since when and whose it is.
doubt = Table(
    "doubt",
    metadata,
    Column("payout_id", Uuid, primary_key=True),
    Column("attempt_no", SmallInteger, nullable=False),
    Column("batch_id", Uuid, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("owner", Uuid),
)

# What the bank said and was not applied: for a person to look at.
bank_exception = Table(
    "bank_exception",
    metadata,
    Column("batch_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("instruction_id", Text, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    Column("settled_by", Uuid),
    PrimaryKeyConstraint("batch_id", "kind", "instruction_id", name="bank_exception_key"),
)

# What one person proposes and another confirms; carried out in the transaction of the confirming.
act = Table(
    "act",
    metadata,
    Column("act_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Uuid, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Uuid),
    Column("decided_at", DateTime(timezone=True)),
    CheckConstraint("state in ('proposed', 'confirmed', 'refused')", name="act_state"),
    CheckConstraint("decided_by <> proposed_by or state = 'refused'", name="act_two_people"),
    CheckConstraint(
        "(state = 'proposed') = (decided_at is null)"
        " and (decided_at is null) = (decided_by is null)",
        name="act_decided",
    ),
)

# What members repaid of an overpayment.
recovery = Table(
    "recovery",
    metadata,
    Column("source_id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("booked_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("amount_fen > 0", name="recovery_amount"),
    Index("recovery_member", "member_id"),
)
