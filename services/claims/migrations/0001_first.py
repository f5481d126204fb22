"""The first shape of the books."""

from services.common.kit import consumer, migrate, outbox, positions

revision = "0001"
down_revision = None

TABLES = (
    """
    create table member (
        member_id uuid not null,
        identity_index bytea not null,
        unit_code text not null,
        salt bytea not null,
        version integer not null,
        primary key (member_id)
    )
    """,
    "create index member_identity on member (identity_index)",
    """
    create table coverage (
        coverage_id uuid not null,
        member_id uuid not null,
        scheme_id text not null,
        starts_on date not null,
        ends_on date,
        units integer not null,
        version integer not null,
        primary key (coverage_id)
    )
    """,
    "create index coverage_member on coverage (member_id)",
    """
    create table settlement (
        claim_id uuid not null,
        fixmedins_code text not null,
        setl_id text not null,
        refund boolean not null,
        status text not null,
        code text,
        member_id uuid,
        identity_index bytea not null,
        incurred_on date not null,
        benefit_fen bigint not null,
        content_hash bytea not null,
        mirror_hash bytea not null,
        counted text not null,
        working text not null,
        sealed bytea not null,
        received_at timestamptz not null,
        decided_at timestamptz,
        primary key (claim_id),
        constraint settlement_key unique (fixmedins_code, setl_id, refund),
        constraint settlement_status
            check (status in ('settled', 'rejected', 'reversed', 'waiting', 'in_review', 'refused'))
    )
    """,
    "create index settlement_member on settlement (member_id)",
    """
    create table review (
        claim_id uuid not null,
        since timestamptz not null,
        primary key (claim_id)
    )
    """,
    """
    create table accumulator (
        member_id uuid not null,
        scheme_id text not null,
        period_starts date not null,
        burdens text not null,
        granted_fen bigint not null,
        grants integer not null,
        constraint accumulator_key primary key (member_id, scheme_id, period_starts)
    ) with (fillfactor = 50)
    """,
    """
    create table benefit_grant (
        member_id uuid not null,
        scheme_id text not null,
        period_starts date not null,
        grant_no integer not null,
        grant_id uuid not null,
        claim_id uuid not null,
        amount_fen bigint not null,
        cause text not null,
        working text,
        granted_at timestamptz not null,
        constraint benefit_grant_key
            primary key (member_id, scheme_id, period_starts, grant_no),
        constraint benefit_grant_moves_something check (amount_fen <> 0)
    )
    """,
    """
    create table feed (
        feed_id uuid not null,
        status text not null,
        code text,
        lines bigint not null,
        done bigint not null,
        settled bigint not null,
        rejected bigint not null,
        reversed bigint not null,
        duplicate bigint not null,
        refused bigint not null,
        benefit_fen bigint not null,
        received_at timestamptz not null,
        primary key (feed_id),
        constraint feed_status check (status in ('queued', 'running', 'done', 'refused')),
        constraint feed_counts_add_up
            check (settled + rejected + reversed + duplicate + refused = done)
    ) with (fillfactor = 50)
    """,
    """
    create table feed_refusal (
        feed_id uuid not null,
        line bigint not null,
        setl_id text not null,
        code text not null,
        constraint feed_refusal_key primary key (feed_id, line)
    )
    """,
)


def upgrade() -> None:
    migrate.execute((*TABLES, *outbox.DDL, *positions.DDL, *consumer.DEAD_LETTERS_DDL))
