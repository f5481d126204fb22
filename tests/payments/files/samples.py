"""What the tests of the file channels write into files, and who pays it."""

from collections.abc import Sequence
from datetime import date

from hypothesis import strategies as st

from services.common.identity import CardNumber, PersonName
from services.common.ids import new_id
from services.common.money import Fen
from services.payments.channels.base import Payer
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee, instruction_id

PAYER = Payer("110000000001", "职工互助会", "UNION01", "职工医疗互助金")
DAY = date(2026, 11, 22)
BATCH_NO = "7215"
CARD = "6217000000000000012"

CARDS = st.from_regex(r"\A[0-9]{6,32}\Z").map(CardNumber)
AMOUNTS = st.integers(1, 10**12)


def a_payee(name: str = "王小明", card: str = CARD) -> Payee:
    return Payee(PersonName(name), CardNumber(card), "")


def instructions(content: Sequence[tuple[Payee, int]]) -> list[Instruction]:
    return [
        Instruction(line, instruction_id(new_id(), 1), payee, Fen(amount_fen))
        for line, (payee, amount_fen) in enumerate(content, 1)
    ]
