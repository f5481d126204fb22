"""Drafts of scheme files, what they were tried on, and the editions that were published."""

from services.common.kit import migrate

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    create table scheme_draft (
        draft_id uuid not null,
        scheme_id text not null,
        content text not null,
        base_sha256 bytea not null,
        drafted_by uuid not null,
        drafted_at timestamptz not null,
        primary key (draft_id)
    )
    """,
    "create index scheme_draft_scheme on scheme_draft (scheme_id, drafted_at)",
    """
    create table scheme_edition (
        scheme_id text not null,
        number integer not null,
        draft_id uuid not null,
        content text not null,
        first_day date,
        drafted_by uuid not null,
        drafted_at timestamptz not null,
        published_by uuid not null,
        published_at timestamptz not null,
        backtest_id uuid not null,
        report text not null,
        constraint scheme_edition_key primary key (scheme_id, number)
    )
    """,
    """
    create table backtest (
        backtest_id uuid not null,
        scheme_id text not null,
        draft_id uuid not null,
        starts_on date not null,
        ends_on date not null,
        as_of date,
        fund_fen bigint,
        asked_by uuid not null,
        asked_at timestamptz not null,
        status text not null,
        code text,
        done integer not null,
        parts integer not null,
        report text,
        finished_at timestamptz,
        primary key (backtest_id),
        constraint backtest_status check (status in ('queued', 'running', 'done', 'failed'))
    ) with (fillfactor = 50)
    """,
    "create index backtest_draft on backtest (draft_id)",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
