"""What the shape of the tables spares the database."""

from tests.notify.conftest import NotifyDesk


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
