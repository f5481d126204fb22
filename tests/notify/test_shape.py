"""The tables as the code sees them are the tables that the migrations make."""

from services.notify.tables import METADATA
from tests.notify.conftest import NotifyDesk


async def test_the_tables_in_code_are_the_tables_in_the_database(notify: NotifyDesk) -> None:
    for table in METADATA.sorted_tables:
        rows = await notify.fetch(
            "select column_name, is_nullable from information_schema.columns"
            " where table_name = $1 order by ordinal_position",
            table.name,
        )
        found = [(row["column_name"], row["is_nullable"] == "YES") for row in rows]
        assert found == [(column.name, bool(column.nullable)) for column in table.columns]


async def test_a_message_on_its_way_never_leaves_its_page(notify: NotifyDesk) -> None:
    """No index holds a column that changes, so every update is a heap-only one."""
    rows = await notify.fetch(
        """
        select a.attname from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
        where i.indrelid = 'message'::regclass
        """
    )
    assert {row["attname"] for row in rows} == {"message_id", "member_id"}
    assert (
        await notify.fetch(
            "select 1 from pg_index where indrelid = 'message'::regclass and indpred is not null"
        )
        == []
    )
