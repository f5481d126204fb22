"""What is asked row by row and member by member, to hold it against what is expected."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

from deploy.demo import books
from deploy.demo.actors import Cast, Hospital, Json, Staff
from deploy.demo.books import Check
from deploy.demo.dataset import Dataset

SCHEME = "bj.mutual"
ASKED_AT_ONCE = 16


async def granted(
    admin: Staff, wanted: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], Decimal]:
    """Ask what was granted to each person in each year; whoever is unknown raises."""
    keys = list(wanted)
    turns = asyncio.Semaphore(ASKED_AT_ONCE)

    async def search(certno: str) -> str:
        async with turns:
            return await admin.search(certno)

    async def ask(member_id: str, year: int) -> Decimal:
        async with turns:
            found = await admin.benefits(member_id, scheme=SCHEME, year=year)
        return Decimal(found["granted"])

    certnos = sorted({certno for certno, _ in keys})
    found = await asyncio.gather(*map(search, certnos))
    members = dict(zip(certnos, found, strict=True))
    amounts = await asyncio.gather(*(ask(members[certno], year) for certno, year in keys))
    return dict(zip(keys, amounts, strict=True))


async def ask_again(cast: Cast, data: Dataset) -> Check:
    """Let the hospitals ask once more, without effect, for every row of theirs in the feed."""
    hospitals: dict[str, Hospital] = {}
    answers: dict[int, Json] = {}
    for code in sorted({row["fixmedins_code"] for row in data.rows}):
        hospitals[code] = cast.hospital(code)
        mine = [n for n, row in enumerate(data.rows) if row["fixmedins_code"] == code]
        told = await hospitals[code].check([data.rows[n] for n in mine])
        answers |= zip(mine, told, strict=True)
    back = books.taken_back(data)
    looked_up = {
        row["setl_id"]: (await hospitals[row["fixmedins_code"]].look(row["setl_id"]))["status"]
        for row in data.rows
        if row["setl_id"] in back and row["refd_setl_flag"] == "0"
    }
    return books.check_lines(data, [answers[n] for n in range(len(answers))], looked_up)
