"""A batch of three that the bank has taken, and its result with what a test changes in it."""

from collections.abc import Callable
from datetime import date
from typing import Final

from services.common.ids import new_id
from services.payments.channels.base import Answer, Outcome, Result
from services.payments.channels.cmb.channel import Cmb
from services.payments.model.batches import BatchFile
from tests.payments.cmb.bank import Bank, Json, a_batch, channel_to

DAY: Final = date(2026, 11, 22)
LINES: Final = a_batch(3)
Spoil = Callable[[Json], None]


async def taken(bank: Bank, count: int = 3) -> tuple[Cmb, BatchFile]:
    """Hand a batch over; the bank then tells that every line of it was paid."""
    lines = LINES if count == len(LINES) else a_batch(count)
    channel = channel_to(bank)
    file = channel.fix(new_id(), DAY, lines)
    assert (await channel.submit(file)).outcome is Outcome.DONE
    bank.heard.clear()
    bank.tells = lambda _funcode, body: bank.page_of(body)
    return channel, file


async def told(spoil: Spoil, bank: Bank | None = None) -> Result | Answer:
    """Ask for the result of a batch of three, paid whole but for what the test changes."""
    bank = bank or Bank()
    channel, file = await taken(bank)

    def page(_funcode: str, body: Json) -> Json:
        answer = bank.page_of(body)
        spoil(answer)
        return answer

    bank.tells = page
    return await channel.result(file.batch_no, file.name)


def head(page: Json) -> Json:
    return page["bb6bpdqyz1"][0]


def lines(page: Json) -> list[Json]:
    return page["bb6bpdqyz2"]


def refused(page: Json, place: int, code: str) -> None:
    """Let a line be refused, and the sums with it."""
    line = lines(page)[place]
    line.update(stscod="E", errcod=code, errtxt="王小明 户名不符", bkdat="", bksn="")
    good = [one for one in lines(page) if one["stscod"] == "S"]
    amount = sum(int(one["trsamt"].replace(".", "")) for one in good)
    head(page).update(
        rtnflg="P" if good else "F",
        succnt=str(len(good)),
        sucamt=f"{amount // 100}.{amount % 100:02d}",
    )
