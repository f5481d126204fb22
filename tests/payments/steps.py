"""What a test does with a desk, in one word each, and what must hold whatever was done."""

from services.payments.model.batches import Lane
from services.payments.model.ledger import Account
from services.payments.usecases import reading
from services.payments.usecases.cut import cut_batch
from services.payments.usecases.desk import Desk
from services.payments.usecases.submit import Step, advance, open_batches
from tests.payments.bank import ToldBank
from tests.payments.people import Member

ALL = 1_000
UNION = Lane("union", 0)


async def cut(desk: Desk) -> bool:
    return await cut_batch(desk, UNION, ALL) is not None


async def send(desk: Desk) -> None:
    """Go on with every open batch until the bank has nothing new to say."""
    for batch_id in await open_batches(desk):
        progress = await advance(desk, batch_id)
        while progress.step in (Step.MOVED, Step.SENT):
            progress = await advance(desk, batch_id, progress.sent)


async def pay_out(desk: Desk, bank: ToldBank) -> None:
    """Cut, send, let the bank book all that it has, and hear of it."""
    await cut(desk)
    await send(desk)
    for line in bank.all_lines:
        if line.bank_code == "":
            line.pay()
    await send(desk)


async def refuse_all(desk: Desk, bank: ToldBank, reason: str = "NAME_DIFFERS") -> None:
    for line in bank.all_lines:
        if line.outcome.value == "unknown":
            line.refuse(reason)
    await send(desk)


async def check_books(desk: Desk, bank: ToldBank | None = None) -> None:
    """Open payouts are what is owed, and ledger, balances and the bank's book agree to the fen."""
    books = await reading.books(desk)
    ledger = books["ledger"]
    assert sum(ledger.values()) == 0
    assert ledger[Account.BENEFIT_EXPENSE] == books["granted_fen"]
    assert ledger[Account.BANK] == -ledger[Account.FUND] - books["paid_fen"]
    assert ledger[Account.PAYOUTS_IN_TRANSIT] == -books["in_flight_fen"]
    owed = books["granted_fen"] - books["paid_fen"] - books["in_flight_fen"]
    assert ledger[Account.BENEFITS_PAYABLE] == -owed
    async with desk.database.begin() as unit:
        assert not await unit.fetch(
            """
            select b.member_id from balance b left join payout p
                on p.member_id = b.member_id and p.scheme_id = b.scheme_id
            group by b.member_id, b.scheme_id
            having b.granted_fen <> sum(p.grant_fen)
                or b.open_fen <> coalesce(sum(p.amount_fen) filter (
                    where p.state in ('awaiting_payee', 'ready', 'refused', 'returned')), 0)
                or b.in_flight_fen <> coalesce(sum(p.amount_fen)
                    filter (where p.state = 'batched'), 0)
                or b.paid_fen <> coalesce(sum(p.amount_fen) filter (where p.state = 'paid'), 0)
            """
        )
    if bank is not None:
        assert bank.booked_fen >= books["paid_fen"]


async def benefits_of(desk: Desk, member: Member) -> tuple[int, int, int]:
    return await reading.benefits(desk, member.member_id, None, None)
