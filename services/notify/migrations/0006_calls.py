"""A text is in a call from the moment it may go, and its call says how far it is."""

from services.common.kit import migrate

revision = "0006"
down_revision = "0005"

CALLS = (
    # Queued calls wait in `ready` by their ids; their texts are named in the call alone.
    """
    alter table dispatch
        add column sent_at timestamptz,
        add column retried boolean not null default false,
        add column delivered boolean[],
        add column receipt_codes text[],
        add column receipt_ats timestamptz[],
        alter column signed_at drop not null,
        alter column phone_indexes drop not null,
        alter column message_ids set storage external,
        alter column phone_indexes set storage external,
        drop constraint dispatch_state_known,
        add constraint dispatch_state_known check (state in ('queued', 'submitting', 'unknown',
            'done')),
        add constraint dispatch_signed check (state = 'queued'
            or signed_at is not null and phone_indexes is not null)
    """,
    # What the queue holds becomes calls, each of one template.
    "alter table ready rename to ready_sets",
    "alter table ready_sets rename constraint ready_pk to ready_sets_pk",
    """
    create table ready (
        again boolean not null,
        ready_at timestamptz not null,
        dispatch_id uuid not null,
        constraint ready_pk primary key (again, ready_at, dispatch_id)
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
    """
    with queued as (
        select uuidv7() as dispatch_id, s.ready_at, s.tries, g.template,
               array_agg(g.message_id order by t.place) as message_ids
        from ready_sets s, unnest(s.message_ids) with ordinality as t(message_id, place)
        join message g using (message_id)
        group by s.again, s.ready_at, s.set_no, s.tries, g.template
    ), queue as (
        insert into ready select tries > 0, ready_at, dispatch_id from queued
    )
    insert into dispatch (dispatch_id, template, message_ids, tries, state)
    select dispatch_id, template, message_ids, tries, 'queued' from queued
    """,
    "drop table ready_sets",
)
TEXTS = (
    # Written once: a state, code, moment or receipt stands here only where the call does not tell.
    """
    alter table message
        add column dispatch_id uuid,
        alter column state drop not null,
        set (fillfactor = 95)
    """,
    """
    update message g
    set dispatch_id = d.dispatch_id,
        state = case when d.state = 'done' or g.state in ('sent', 'refused') then g.state end
    from (
        select distinct on (t.message_id) t.message_id, d.dispatch_id, d.state
        from dispatch d, unnest(d.message_ids) as t(message_id)
        order by t.message_id, d.state <> 'done' desc, d.signed_at desc
    ) d
    where g.message_id = d.message_id
    """,
    """
    alter table message
        add constraint message_in_call check (state is not null or dispatch_id is not null)
    """,
)


def upgrade() -> None:
    migrate.execute((*CALLS, *TEXTS))
