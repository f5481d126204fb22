"""Texts wait for the provider in sets, and a text that is under way is known by its call alone."""

from services.common.kit import migrate

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "alter table ready rename to ready_one_by_one",
    "alter table ready_one_by_one rename constraint ready_pk to ready_one_by_one_pk",
    # Two queues, of first tries and of others: a row is a set of texts that may go from ready_at
    # on, as many as one call takes; what was refused goes alone. What is taken is deleted.
    """
    create table ready (
        again boolean not null generated always as (tries > 0) stored,
        ready_at timestamptz not null,
        set_no bigint not null generated always as identity,
        tries smallint not null,
        message_ids uuid[] not null,
        constraint ready_pk primary key (again, ready_at, set_no),
        constraint ready_texts check (cardinality(message_ids) > 0)
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
    """
    insert into ready (ready_at, tries, message_ids)
    select ready_at, tries, array[message_id] from ready_one_by_one order by ready_at, message_id
    """,
    "drop table ready_one_by_one",
    # Room on its page for the two more states that each row comes to.
    "alter table message set (fillfactor = 40)",
)


def upgrade() -> None:
    migrate.execute(STATEMENTS)
