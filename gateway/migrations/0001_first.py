"""Who may enter and by which proof: staff, partner keys, members' tokens. No business data."""

from services.common.kit import idempotency, migrate

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DDL = (
    """
    create table staff (
        person_id uuid not null,
        username text not null,
        password_hash text not null,
        totp_sealed bytea not null,
        role text not null,
        unit text not null,
        failures integer not null default 0,
        locked_until timestamptz,
        totp_last_step bigint not null default 0,
        constraint staff_pk primary key (person_id),
        constraint staff_username_unique unique (username),
        constraint staff_role_known check (role in (
            'admin', 'filing_officer', 'reviewer', 'finance_maker', 'finance_checker', 'auditor'))
    )
    """,
    """
    create table staff_session (
        token_sha256 bytea not null,
        person_id uuid not null,
        expires_at timestamptz not null,
        constraint staff_session_pk primary key (token_sha256),
        constraint staff_session_of_staff foreign key (person_id)
            references staff (person_id) on delete cascade
    )
    """,
    "create index staff_session_person on staff_session (person_id)",
    "create index staff_session_expires on staff_session (expires_at)",
    """
    create table partner_key (
        keyid text not null,
        key_id uuid not null,
        fixmedins_code text not null,
        secret_sealed bytea not null,
        revoked_at timestamptz,
        constraint partner_key_pk primary key (keyid)
    )
    """,
    """
    create table nonce (
        keyid text not null,
        nonce text not null,
        expires_at timestamptz not null,
        constraint nonce_pk primary key (keyid, nonce)
    )
    """,
    "create index nonce_expires on nonce (expires_at)",
    """
    create table wechat_binding (
        openid_sha256 bytea not null,
        member_id uuid not null,
        bound_at timestamptz not null,
        constraint wechat_binding_pk primary key (openid_sha256)
    )
    """,
    """
    create table bind_ticket (
        ticket_sha256 bytea not null,
        openid_sha256 bytea not null,
        expires_at timestamptz not null,
        constraint bind_ticket_pk primary key (ticket_sha256)
    )
    """,
    "create index bind_ticket_expires on bind_ticket (expires_at)",
    # A code belongs to the members who share the phone; the phone itself is not kept here.
    """
    create table login_code (
        login_id uuid not null,
        salt bytea not null,
        code_hash bytea not null,
        tries_left integer not null,
        sent_at timestamptz not null,
        sent_today integer not null,
        expires_at timestamptz not null,
        constraint login_code_pk primary key (login_id)
    )
    """,
    """
    create table token_family (
        family_id uuid not null,
        member_id uuid not null,
        expires_at timestamptz not null,
        constraint token_family_pk primary key (family_id)
    )
    """,
    "create index token_family_expires on token_family (expires_at)",
    """
    create table member_token (
        token_sha256 bytea not null,
        family_id uuid not null,
        kind text not null,
        used boolean not null default false,
        expires_at timestamptz not null,
        constraint member_token_pk primary key (token_sha256),
        constraint member_token_kind_known check (kind in ('access', 'refresh')),
        constraint member_token_of_family foreign key (family_id)
            references token_family (family_id) on delete cascade
    )
    """,
    "create index member_token_family on member_token (family_id)",
    "create index member_token_expires on member_token (expires_at)",
    *idempotency.DDL,
)


def upgrade() -> None:
    migrate.execute(DDL)
