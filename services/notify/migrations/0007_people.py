"""What is known of a member is one row; what was known before stays beside it."""

from services.common.kit import migrate

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "alter table member rename to member_alone",
    "alter table member_alone rename constraint member_pk to member_alone_pk",
    "alter table contact rename to contact_all",
    "alter table contact_all rename constraint contact_pk to contact_all_pk",
    "alter table card_tail rename to card_tail_all",
    "alter table card_tail_all rename constraint card_tail_pk to card_tail_all_pk",
    # The newest of each fact; they come in any order, so each may still be missing. Erasing a
    # member empties the salt; none of the sealed values opens again.
    """
    create table member (
        member_id uuid constraint member_pk primary key,
        version integer,
        unit_code text,
        salt bytea,
        contact_version integer,
        contact bytea,
        payee_version integer,
        tail bytea,
        constraint member_contact check ((contact is null) = (contact_version is null)),
        constraint member_tail check ((tail is null) = (payee_version is null))
    ) with (fillfactor = 90)
    """,
    # The older ones, for a text is asked about under the phone it was sent to, and names the card
    # that was paid.
    """
    create table contact (
        member_id uuid not null,
        version integer not null,
        sealed bytea not null,
        constraint contact_pk primary key (member_id, version)
    )
    """,
    """
    create table card_tail (
        member_id uuid not null,
        payee_version integer not null,
        sealed bytea not null,
        constraint card_tail_pk primary key (member_id, payee_version)
    )
    """,
    """
    insert into member
    select member_id, m.version, m.unit_code, m.salt, c.version, c.sealed, t.payee_version, t.sealed
    from member_alone m
    full join (
        select distinct on (member_id) member_id, version, sealed
        from contact_all order by member_id, version desc
    ) c using (member_id)
    full join (
        select distinct on (member_id) member_id, payee_version, sealed
        from card_tail_all order by member_id, payee_version desc
    ) t using (member_id)
    """,
    """
    insert into contact
    select c.* from contact_all c join member m using (member_id)
    where c.version <> m.contact_version
    """,
    """
    insert into card_tail
    select t.* from card_tail_all t join member m using (member_id)
    where t.payee_version <> m.payee_version
    """,
    "drop table member_alone",
    "drop table contact_all",
    "drop table card_tail_all",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
