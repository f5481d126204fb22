"""Units, rosters, members and their coverage, beside the ground that every service stands on."""

from services.common.kit import consumer, migrate, outbox

revision = "0001"
down_revision = None

# Members and coverages change a few times a year, rosters with every chunk: room on a page is left
# accordingly.
TABLES = (
    """
    create table units (
        unit_id uuid primary key,
        code text not null unique,
        name text not null,
        staff_count integer not null
            constraint units_staff_count_check check (staff_count >= 0),
        officers bytea not null,
        officers_version integer not null
    )
    """,
    """
    create table rosters (
        roster_id uuid primary key,
        unit_code text not null references units (code),
        starts_on date not null,
        status text not null
            constraint rosters_status_check
            check (status in ('queued', 'running', 'done', 'refused')),
        code text,
        encoding text not null,
        rows integer not null,
        done integer not null,
        accepted integer not null,
        refused integer not null,
        unchanged integer not null,
        events_xid text,
        received_at timestamptz not null default now(),
        constraint rosters_sum_check check (accepted + refused + unchanged = done),
        constraint rosters_done_check check (done <= rows)
    ) with (fillfactor = 50)
    """,
    """
    create table roster_refusals (
        roster_id uuid not null,
        row integer not null,
        field text not null,
        code text not null,
        primary key (roster_id, row, field)
    )
    """,
    """
    create table members (
        member_id uuid primary key,
        identity_index bytea not null unique,
        unit_code text not null,
        salt bytea not null,
        person bytea not null,
        version integer not null,
        payee_version integer not null,
        contact_version integer not null
    ) with (fillfactor = 80)
    """,
    """
    create table member_phones (
        phone_index bytea not null,
        member_id uuid not null,
        primary key (phone_index, member_id)
    )
    """,
    """
    create table coverages (
        member_id uuid not null,
        scheme_id text not null,
        coverage_id uuid not null,
        starts_on date not null,
        ends_on date,
        units smallint not null constraint coverages_units_check check (units > 0),
        version integer not null,
        primary key (member_id, scheme_id),
        constraint coverages_days_check check (ends_on >= starts_on)
    ) with (fillfactor = 80)
    """,
)


def upgrade() -> None:
    migrate.execute((*outbox.DDL, *consumer.DEAD_LETTERS_DDL, *TABLES))
