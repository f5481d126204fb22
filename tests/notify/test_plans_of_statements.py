"""What a text costs the database: no table is read whole, its row is written once, its call HOT."""

from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from tests.notify.conftest import NotifyDesk, Person, until
from tests.notify.test_receipts import PATH, receipt

MEMBERS: Final = 1_000
TEXTS: Final = 2_000
CALL_UPDATES_MAX: Final = 4
HOT_SHARE_MIN: Final = 0.9
BIG: Final = ("card_tail", "contact", "dispatch", "member", "message")


async def test_no_table_is_read_whole_a_text_is_written_once_and_its_call_stays_on_its_page(
    notify: NotifyDesk,
) -> None:
    people = [notify.person() for _ in range(MEMBERS)]
    for start in range(0, MEMBERS, 250):
        some = people[start : start + 250]
        await notify.hear(*(event for person in some for event in person.introduction()))
    # As after a year: the planner knows the sizes, and plans are made anew.
    await notify.execute("analyze")
    before = await _counts(notify)
    for start in range(0, TEXTS, 500):
        at = start % MEMBERS
        await notify.hear(*(person.paid() for person in people[at : at + 500]))
        await notify.send_due()
    await _tell_receipts(notify, people)
    after = await _counted(notify, inserts=TEXTS)
    assert {
        name: after[name]["seq_scan"] - before[name]["seq_scan"] for name in BIG
    } == dict.fromkeys(BIG, 0)
    assert after["message"]["n_tup_upd"] == 0
    # Written down, settled, and told of by the provider, each at least once in a hundred texts.
    assert 3 <= after["dispatch"]["n_tup_upd"] / (TEXTS / 100) <= CALL_UPDATES_MAX
    assert after["dispatch"]["n_tup_hot_upd"] >= HOT_SHARE_MIN * after["dispatch"]["n_tup_upd"]


async def _tell_receipts(notify: NotifyDesk, people: Sequence[Person]) -> None:
    """Tell every text's receipt, a call at a time."""
    transport = httpx.ASGITransport(notify.app)
    calls: dict[str, list[str]] = {}
    for text in notify.texts(*(person.phone for person in people)):
        calls.setdefault(text["out_id"], []).append(text["phone"])
    async with httpx.AsyncClient(transport=transport, base_url="http://notify") as client:
        for call_id, phones in calls.items():
            answer = await client.post(PATH, json=[receipt(phone, call_id) for phone in phones])
            assert answer.status_code == 200


async def _counts(notify: NotifyDesk) -> Mapping[str, Mapping[str, int]]:
    """Add up what is counted of each table; one that is taken apart by years is counted by them."""
    rows = await notify.fetch(
        """
        select coalesce(i.inhparent, s.relid)::regclass::text as name,
               sum(seq_scan)::int as seq_scan, sum(n_tup_ins)::int as n_tup_ins,
               sum(n_tup_upd)::int as n_tup_upd, sum(n_tup_hot_upd)::int as n_tup_hot_upd
        from pg_stat_user_tables s left join pg_inherits i on i.inhrelid = s.relid
        group by 1
        """
    )
    return {row["name"]: dict(row) for row in rows}


async def _counted(notify: NotifyDesk, inserts: int) -> Mapping[str, Mapping[str, int]]:
    """Wait for the counts, which connections tell when they are closed."""
    await notify.office.database.close()

    async def told() -> bool:
        return (await _counts(notify))["message"]["n_tup_ins"] >= inserts

    await until(told)
    return await _counts(notify)
