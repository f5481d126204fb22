"""A call's updates stay on its page: which calls are open is listed apart, and its lists are small.

Receipts are mostly the same for many texts of a call, so it holds each once, and for each text a
byte that says which.
"""

from services.common.kit import migrate

revision = "0010"
down_revision = "0009"

OPEN = (
    # A row from the moment a call is signed until its fate is known: nearly always empty.
    """
    create table open_dispatch (
        dispatch_id uuid constraint open_dispatch_pk primary key
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
    """
    insert into open_dispatch
    select dispatch_id from dispatch where state in ('submitting', 'unknown')
    """,
    "drop index dispatch_open",
)
LISTS = (
    # 16 bytes for each text, nothing but zeros where it has no phone; a number for each text, from
    # 1 on, of the receipts that follow, 0 where none has come.
    "alter table dispatch rename column phone_indexes to phones_apart",
    """
    alter table dispatch
        drop constraint dispatch_phones,
        drop constraint dispatch_signed,
        add column phone_indexes bytea,
        add column receipt_nos bytea
    """,
    """
    update dispatch d
    set phone_indexes = (
            select string_agg(case p.index when '' then '\\x00000000000000000000000000000000'
                                           else p.index end, '' order by p.place)
            from unnest(d.phones_apart) with ordinality as p(index, place)),
        receipt_nos = (
            select string_agg(case when d.receipt_ats[p.place] is null then '\\x00'::bytea
                                   else substr(int4send(p.place::int), 4) end, '' order by p.place)
            from unnest(d.phones_apart) with ordinality as p(index, place)
            where d.receipt_ats is not null)
    where phones_apart is not null
    """,
    """
    alter table dispatch
        drop column phones_apart,
        alter column phone_indexes set storage external,
        alter column phone_indexes set statistics 0,
        alter column receipt_nos set statistics 0,
        add constraint dispatch_phones
            check (octet_length(phone_indexes) = 16 * cardinality(message_ids)),
        add constraint dispatch_signed check (state = 'queued'
            or signed_at is not null and phone_indexes is not null),
        add constraint dispatch_receipts
            check (octet_length(receipt_nos) = cardinality(message_ids))
    """,
    # From its first update on a call's lists lie beside the table, so that all its states have room
    # on one page.
    "alter table dispatch set (toast_tuple_target = 128)",
)


def upgrade() -> None:
    migrate.execute((*OPEN, *LISTS))
