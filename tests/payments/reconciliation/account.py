"""An account at the bank that does as it is told: each line is one sentence of a test."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.common.identity import CardNumber, PersonName
from services.common.kit import clock
from services.common.money import Fen
from services.payments.model.ledger import Account
from services.payments.model.statements import Direction, Movement, MovementKind
from services.payments.usecases import reading
from services.payments.usecases.desk import Desk
from tests.payments.bank import ToldBank

FUND = "union"
DEBITS = (MovementKind.PAYOUT, MovementKind.TRANSFER, MovementKind.FEE)


@dataclass
class BankAccount:
    """Books what it is told on the account of the payer."""

    bank: ToldBank

    def book(
        self,
        kind: MovementKind,
        amount_fen: int,
        *,
        on: date | None = None,
        batch_no: str = "",
        instruction_id: str = "",
        reason: str = "",
        remark: str = "",
        party: str = "",
    ) -> Movement:
        direction: Direction = "debit" if kind in DEBITS else "credit"
        line = Movement(
            bank_ref=str(len(self.bank.moved) + 1),
            booked_on=on or clock.today(),
            direction=direction,
            amount_fen=Fen(amount_fen),
            kind=kind,
            batch_no=batch_no,
            instruction_id=instruction_id,
            reason=reason,
            party=PersonName(party),
            party_account=CardNumber("6222000011112222" if party else ""),
            remark=remark,
        )
        self.bank.moved.append(line)
        return line

    def debit_batch(self, amount_fen: int, number: int = -1, on: date | None = None) -> Movement:
        """Debit a batch that was sent, the last one where none is said."""
        return self.book(MovementKind.PAYOUT, amount_fen, on=on, batch_no=self.batch_nos[number])

    def debit_transfer(self, instruction_id: str, amount_fen: int) -> Movement:
        return self.book(MovementKind.PAYOUT, amount_fen, instruction_id=instruction_id)

    def give_back(
        self,
        instruction_id: str,
        amount_fen: int,
        reason: str = "ACCOUNT_CLOSED",
        kind: MovementKind = MovementKind.RETURN,
    ) -> Movement:
        return self.book(kind, amount_fen, instruction_id=instruction_id, reason=reason)

    def deposit(self, amount_fen: int, remark: str = "", party: str = "") -> Movement:
        return self.book(MovementKind.DEPOSIT, amount_fen, remark=remark, party=party)

    @property
    def batch_nos(self) -> list[str]:
        return [name.removesuffix(".txt").rpartition("_")[2] for name in self.bank.files]

    @property
    def balance_fen(self) -> int:
        return self.bank.opening_fen + sum(line.signed_fen for line in self.bank.moved)


async def kept(desk: Desk) -> dict[str, tuple[str, str | None]]:
    """Give state and reason of every line, by the bank's number."""
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select bank_ref, state, reason from bank_line order by bank_ref::int"
        )
    return {row["bank_ref"]: (row["state"], row["reason"]) for row in rows}


async def confirmed(desk: Desk) -> list[bool]:
    """Tell of each batch whether the bank's lines have shown all of it."""
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select confirmed_at is not null as confirmed, sealed_file is null as forgotten"
            " from batch order by cut_at"
        )
    assert all(row["confirmed"] == row["forgotten"] for row in rows)
    return [row["confirmed"] for row in rows]


async def exceptions(desk: Desk) -> list[tuple[str, UUID, str]]:
    async with desk.database.begin() as unit:
        rows = await unit.fetch(
            "select kind, batch_id, instruction_id from bank_exception order by seen_at"
        )
    return [(row["kind"], row["batch_id"], row["instruction_id"]) for row in rows]


async def balances(desk: Desk) -> dict[str, int]:
    """Give the balance of every account that was booked on, debit less credit."""
    books = await reading.books(desk)
    assert sum(books["ledger"].values()) == 0
    return {name: fen for name, fen in books["ledger"].items() if fen}


async def booked(desk: Desk, account: Account) -> int:
    return (await balances(desk)).get(account, 0)
