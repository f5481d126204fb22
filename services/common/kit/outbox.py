"""Events wait here, written with the facts they speak of, until the relay has published them.

A row is a set of events of one transaction, one topic and one partition, and becomes one record of
the log: a row, a record and a header for each event cost more than what they carry.

Rows are never marked nor deleted one by one: what is published is told by the relay's snapshot.
They lie in a partition per month, and go with their whole month, 30 days after its end, once they
are published and every group that reads their topics has passed them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from services.common.contracts.event import (
    SET_BYTES_MAX,
    SET_EVENTS_MAX,
    Event,
    partition_of,
    payload_of,
)

TABLE: Final = "outbox"
COLUMNS: Final = ("topic", "partition", "events", "payload")
Row = tuple[str, int, int, bytes]


def _partitions_made(parameters: str) -> str:
    """Give the function that makes this month's partition and the next one's, stored so.

    It locks only where one is missing, and raises only where this month's cannot be made for now.
    """
    return f"""
    create or replace function outbox_ensure_partitions() returns void
    language plpgsql set lock_timeout = '200ms' as $$
    declare
        month_start date := date_trunc('month', now() at time zone 'UTC');
        starts date;
        month text;
    begin
        for step in 0..1 loop
            starts := month_start + make_interval(months => step);
            month := 'outbox_' || to_char(starts, 'YYYYMM');
            -- Without this month's nobody can write, so nobody is held up by whoever waits for it.
            perform set_config('lock_timeout', case step when 0 then '2s' else '200ms' end, true);
            continue when to_regclass(month) is not null;
            begin
                -- Of several who make it at once, the others wait here and find it made.
                lock table only outbox in access exclusive mode;
                execute format(
                    'create table if not exists %I partition of outbox for values from (%L) to (%L)'
                    ' with ({parameters})',
                    month,
                    starts::timestamp at time zone 'UTC',
                    (starts + interval '1 month') at time zone 'UTC');
            exception when lock_not_available then
                if step = 0 and to_regclass(month) is null then
                    raise;
                end if;
            end;
        end loop;
    end $$
    """  # noqa: S608 - parameters of storage, named below


# The first shape, a row for each event; `SETS_DDL` makes of it what it is now.
DDL: Final = (
    """
    create table outbox (
        id bigint generated always as identity,
        xid xid8 not null default pg_current_xact_id(),
        topic text not null,
        key uuid not null,
        event_id uuid not null,
        type text not null,
        payload bytea not null,
        created_at timestamptz not null default now()
    ) partition by range (created_at)
    """,
    "create index outbox_xid_id on outbox (xid, id)",
    # prev = cur: nothing is under way. Otherwise the rows visible in cur and not in prev are being
    # published in order of id, and those up to last_id have been.
    """
    create table relay_state (
        only_row boolean primary key default true check (only_row),
        prev text not null default '3:3:',
        cur text not null default '3:3:',
        last_id bigint not null default 0,
        cluster_id text not null default '',
        acked text not null default '{}'
    )
    """,
    "insert into relay_state default values",
    _partitions_made("autovacuum_enabled = off"),
    "select outbox_ensure_partitions()",
)

_MAKE: Final = _partitions_made("autovacuum_enabled = off, toast.autovacuum_enabled = off")
# What an older shape still holds becomes sets of one, in its place: what is published stays so.
SETS_DDL: Final = (
    "alter table outbox add column partition smallint, add column events integer",
    """
    update outbox set partition = crc32(uuid_send(key)) % 12, events = 1,
        payload = '['::bytea || payload || ']'::bytea
    """,
    """
    alter table outbox drop column key, drop column event_id, drop column type,
        alter column partition set not null, alter column events set not null
    """,
    # Sets are larger than a page, and the server's own way of making them smaller takes longer
    # than writing them.
    "alter table outbox alter column payload set storage external",
    _MAKE,
    """
    do $$
    declare
        month name;
    begin
        for month in
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'outbox'::regclass
        loop
            execute format('alter table %I set (toast.autovacuum_enabled = off)', month);
        end loop;
    end $$
    """,
)

# The relay says what was published when, and has seen that every group has passed that.
_DROP: Final = """
    create or replace function outbox_drop_months(published pg_snapshot) returns integer
    language plpgsql set lock_timeout = '200ms' as $$
    declare
        month name;
        waits boolean;
        dropped integer := 0;
    begin
        for month in
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'outbox'::regclass
              and to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' + interval '30 days'
                  <= now() at time zone 'UTC'
            order by 1
        loop
            execute format(
                'select exists (select from %I where xid >= pg_snapshot_xmin($1))', month)
                into waits using published;
            continue when waits;
            execute format('drop table %I', month);
            dropped := dropped + 1;
        end loop;
        return dropped;
    end $$
    """
# Not steps of a migration but laid anew by each, as the rights are: they belong to the kit.
MONTHS_DDL: Final = (_MAKE, _DROP)
# What a service has made or dropped while it runs: it asks, the owner does it.
OWNERS_FUNCTIONS: Final = ("outbox_ensure_partitions()", "outbox_drop_months(pg_snapshot)")

# The relay asks for it every hour, and whoever opens a connection at once: after a month in which
# nothing ran there is none to write into. The gateway's database has no outbox.
MONTHS_MADE: Final = """
    do $$ begin
        if to_regproc('outbox_ensure_partitions') is not null then
            perform outbox_ensure_partitions();
        end if;
    end $$
    """


def rows_of(events: Sequence[Event]) -> Iterator[Row]:
    """Put the events into sets by topic and partition, each in the order they were told in."""
    lanes: dict[tuple[str, int], list[Event]] = {}
    for event in events:
        lane = event.topic, partition_of(event.aggregate_id)
        if lane in lanes:
            lanes[lane].append(event)
        else:
            lanes[lane] = [event]
    for (topic, partition), lane_events in lanes.items():
        for first in range(0, len(lane_events), SET_EVENTS_MAX):
            for count, payload in _sets(lane_events[first : first + SET_EVENTS_MAX]):
                yield topic, partition, count, payload


def _sets(events: Sequence[Event]) -> Iterator[tuple[int, bytes]]:
    """Give how many events and their payload, in halves where they are too large for one set."""
    payload = payload_of(events)
    if len(payload) <= SET_BYTES_MAX or len(events) == 1:
        yield len(events), payload
    else:
        middle = len(events) // 2
        yield from _sets(events[:middle])
        yield from _sets(events[middle:])


# True once every event of a transaction has been published and acknowledged.
RELAYED: Final = """
    select not exists (
        select 1 from outbox o, relay_state s
        where o.xid = $1::text::xid8
          and not (pg_visible_in_snapshot(o.xid, s.prev::pg_snapshot)
                   or (pg_visible_in_snapshot(o.xid, s.cur::pg_snapshot) and o.id <= s.last_id)))
    """

# How many events wait to be published, and in how many sets, as of the state the relay has written
# down. Snapshots are read from their texts once: for every row that took 20 ms for a thousand rows.
PENDING: Final = """
    with s as materialized (
        select prev::pg_snapshot, cur::pg_snapshot, last_id from relay_state)
    select coalesce(sum(events), 0) as events, count(*) as sets from outbox
    where (xid >= (select pg_snapshot_xmax(prev) from s)
           or xid = any (array (select pg_snapshot_xip(prev) from s)))
      and not pg_visible_in_snapshot(xid, (select prev from s))
      and not (pg_visible_in_snapshot(xid, (select cur from s))
               and id <= (select last_id from s))
    """
