"""The books of claims."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

metadata = MetaData()

# Rows that are added and stay leave a vacuum nothing to take away.
ADDED_TO = {"autovacuum_vacuum_insert_threshold": -1}

# Who can be found by an identity number, and the salt that seals what is kept of them here.
member = Table(
    "member",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("identity_index", LargeBinary, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    # What rules ask of a member; null where the papers do not tell.
    Column("born", Date),
    Column("sex", Text),
    Column("groups", ARRAY(Text), nullable=False),
    Index("member_identity", "identity_index"),
)

coverage = Table(
    "coverage",
    metadata,
    Column("coverage_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("units", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("member_id", "coverage_id", name="coverage_key"),
)

# A settlement and the claim it makes: the facts sealed in one blob, the verdict, the working.
# `plans` holds what each plan made of it: the verdict, and what it put into the sums of its period,
# to be taken out again. `facts` is what rules ask of it, without anything that names a person.
settlement = Table(
    "settlement",
    metadata,
    Column("claim_id", Uuid, primary_key=True),
    Column("fixmedins_code", Text, nullable=False),
    Column("setl_id", Text, nullable=False),
    Column("refund", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("code", Text),
    Column("member_id", Uuid),
    Column("incurred_on", Date, nullable=False),
    Column("benefit_fen", BigInteger, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("mirror_hash", LargeBinary, nullable=False),
    Column("plans", Text, nullable=False),
    Column("working", Text, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    # By time first: a day's settlements stand side by side, whatever hospitals they are of.
    UniqueConstraint("setl_id", "fixmedins_code", "refund", name="settlement_key"),
    CheckConstraint(
        "status in ('settled', 'rejected', 'reversed', 'waiting', 'in_review', 'refused')",
        name="settlement_status",
    ),
    Index("settlement_member", "member_id"),
    # Few: what waits for its original is found here, without a look among all settlements.
    Index("settlement_refund", "setl_id", "fixmedins_code", postgresql_where="refund"),
    postgresql_with=ADDED_TO,
)

# Settlements whose member is not known yet; a row leaves when its settlement is decided.
review = Table(
    "review",
    metadata,
    Column("claim_id", Uuid, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
)

# The sums of a member's period under a scheme: what is owed for it follows from them alone.
accumulator = Table(
    "accumulator",
    metadata,
    Column("member_id", Uuid, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("period_starts", Date, nullable=False),
    Column("totals", Text, nullable=False),
    PrimaryKeyConstraint("member_id", "scheme_id", "period_starts", name="accumulator_key"),
    postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 1, **ADDED_TO},
)

benefit_grant = Table(
    "benefit_grant",
    metadata,
    Column("member_id", Uuid, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("period_starts", Date, nullable=False),
    Column("grant_no", Integer, nullable=False),
    Column("grant_id", Uuid, nullable=False),
    Column("claim_id", Uuid, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("working", Text),
    Column("granted_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint(
        "member_id", "scheme_id", "period_starts", "grant_no", name="benefit_grant_key"
    ),
    CheckConstraint("amount_fen <> 0", name="benefit_grant_moves_something"),
    postgresql_with=ADDED_TO,
)

feed = Table(
    "feed",
    metadata,
    Column("feed_id", Uuid, primary_key=True),
    Column("status", Text, nullable=False),
    Column("code", Text),
    Column("lines", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("reversed", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("benefit_fen", BigInteger, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(
        "status in ('queued', 'running', 'done', 'refused')",
        name="feed_status",
    ),
    CheckConstraint(
        "settled + rejected + reversed + duplicate + refused = done", name="feed_counts_add_up"
    ),
    postgresql_with={"fillfactor": 50},
)

feed_refusal = Table(
    "feed_refusal",
    metadata,
    Column("feed_id", Uuid, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("setl_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    PrimaryKeyConstraint("feed_id", "line", name="feed_refusal_key"),
)

# One row: when a hospital's post was last taken.
people_seen = Table(
    "people_seen",
    metadata,
    Column("at", DateTime(timezone=True), nullable=False),
    postgresql_with={"fillfactor": 50},
)

# A scheme file that somebody has changed and may try out; it is never changed again itself.
# `base_sha256` is of the file that was in force then: an edition is published on top of that alone.
scheme_draft = Table(
    "scheme_draft",
    metadata,
    Column("draft_id", Uuid, primary_key=True),
    Column("scheme_id", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("base_sha256", LargeBinary, nullable=False),
    Column("drafted_by", Uuid, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    Index("scheme_draft_scheme", "scheme_id", "drafted_at"),
)

# What was published, for ever: a scheme's newest edition takes the place of the release's file.
# What it was tried on is kept with it.
scheme_edition = Table(
    "scheme_edition",
    metadata,
    Column("scheme_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("draft_id", Uuid, nullable=False),
    Column("content", Text, nullable=False),
    Column("first_day", Date),
    Column("drafted_by", Uuid, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    Column("published_by", Uuid, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    Column("backtest_id", Uuid, nullable=False),
    Column("report", Text, nullable=False),
    PrimaryKeyConstraint("scheme_id", "number", name="scheme_edition_key"),
)

# A draft tried on the claims of some days; `report` is there once it is done.
backtest = Table(
    "backtest",
    metadata,
    Column("backtest_id", Uuid, primary_key=True),
    Column("scheme_id", Text, nullable=False),
    Column("draft_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("as_of", Date),
    Column("fund_fen", BigInteger),
    Column("asked_by", Uuid, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("status", Text, nullable=False),
    Column("code", Text),
    Column("done", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("report", Text),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("status in ('queued', 'running', 'done', 'failed')", name="backtest_status"),
    Index("backtest_draft", "draft_id"),
    postgresql_with={"fillfactor": 50},
)
