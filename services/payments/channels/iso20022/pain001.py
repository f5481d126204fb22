"""Writes a batch as pain.001.001.09: one order, one payment, its transfers; and reads it back."""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, BinaryIO, Final, NamedTuple
from uuid import UUID

from lxml import etree

from services.common.kit.clock import BUSINESS_ZONE
from services.common.money import Fen, yuan
from services.payments.channels.base import Payer, batch_no_of, check_payee
from services.payments.channels.iso20022.documents import CURRENCY, fen, namespace, need, parts
from services.payments.errors import PayeeUnusable, ResultUnusable
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee

MESSAGE: Final = "pain.001.001.09"
_TRANSFER: Final = "PmtInf/CdtTrfTxInf"
_TEXT_MAX: Final = 140
# What XML cannot hold beside what no bank takes.
_NOT_XML: Final = re.compile(r"[\ufffe\uffff]")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# A path of elements, and what the innermost holds.
Node = tuple[str, str | Sequence["Node"]]


def check(payee: Payee) -> None:
    """Raise `PayeeUnusable` where the name, the card or the bank cannot be written."""
    check_payee(payee)
    name = payee.name.open()
    if max(len(name), len(payee.bank)) > _TEXT_MAX or _NOT_XML.search(name + payee.bank):
        raise PayeeUnusable


class Order(NamedTuple):
    """What stands above the transfers; `cnaps` is the clearing number of the payer's bank."""

    batch_id: UUID
    payer: Payer
    cnaps: str
    day: date

    @property
    def batch_no(self) -> str:
        return batch_no_of(self.batch_id)

    @property
    def made_at(self) -> str:
        # The time in the id as well: the clock would give the same batch other bytes.
        moment = _EPOCH + timedelta(milliseconds=self.batch_id.int >> 80)
        return moment.astimezone(BUSINESS_ZONE).isoformat(timespec="milliseconds")


def render(order: Order, instructions: Sequence[Instruction]) -> bytes:
    """Write an order; the same input gives the same bytes, valid by the XSD."""
    count = str(len(instructions))
    total = yuan(Fen(sum(instruction.amount_fen for instruction in instructions)))
    out = io.BytesIO()
    with etree.xmlfile(out, encoding="UTF-8") as xml:
        xml.write_declaration()
        with (
            xml.element(_tag("Document"), nsmap={None: namespace(MESSAGE)}),
            xml.element(_tag("CstmrCdtTrfInitn")),
        ):
            _write(xml, "GrpHdr", _group_header(order, count, total))
            with xml.element(_tag("PmtInf")):
                for path, held in _payment(order, count, total):
                    _write(xml, path, held)
                for instruction in instructions:
                    _write(xml, "CdtTrfTxInf", list(_transfer(instruction, order.payer.remark)))
    content = out.getvalue()
    assert _says(content, instructions), "valid, and every id once with its amount"
    return content


def amounts(source: BinaryIO) -> dict[str, Fen]:
    """Read back which ids were sent and for how much; raises `ResultUnusable`."""
    return {
        need(part, "PmtId/EndToEndId"): fen(part, "Amt/InstdAmt")
        for _, part in parts(source, MESSAGE, _TRANSFER)
    }


def _says(content: bytes, instructions: Sequence[Instruction]) -> bool:
    try:
        said = amounts(io.BytesIO(content))
    except ResultUnusable:
        return False
    return len(said) == len(instructions) and all(
        said.get(instruction.instruction_id) == instruction.amount_fen
        for instruction in instructions
    )


def _group_header(order: Order, count: str, total: str) -> list[Node]:
    return [
        ("MsgId", order.batch_no),
        ("CreDtTm", order.made_at),
        ("NbOfTxs", count),
        ("CtrlSum", total),
        ("InitgPty/Nm", order.payer.holder),
    ]


def _payment(order: Order, count: str, total: str) -> list[Node]:
    return [
        ("PmtInfId", order.batch_no),
        ("PmtMtd", "TRF"),
        ("BtchBookg", "true"),
        ("NbOfTxs", count),
        ("CtrlSum", total),
        ("ReqdExctnDt/Dt", order.day.isoformat()),
        ("Dbtr/Nm", order.payer.holder),
        ("DbtrAcct/Id/Othr/Id", order.payer.account),
        # CNAPS is not in the external code list of clearing systems, so it is proprietary.
        ("DbtrAgt/FinInstnId/ClrSysMmbId", [("ClrSysId/Prtry", "CNAPS"), ("MmbId", order.cnaps)]),
    ]


def _transfer(instruction: Instruction, remark: str) -> Iterator[Node]:
    _, instruction_id, payee, amount_fen = instruction
    yield "PmtId", [("InstrId", instruction_id), ("EndToEndId", instruction_id)]
    yield "Amt/InstdAmt", yuan(amount_fen)
    if payee.bank:
        yield "CdtrAgt/FinInstnId/Nm", payee.bank
    yield "Cdtr/Nm", payee.name.open()
    yield "CdtrAcct/Id/Othr/Id", payee.card.open()
    if remark:
        yield "RmtInf/Ustrd", remark


def _write(xml: Any, path: str, held: str | Sequence[Node]) -> None:  # noqa: ANN401 - lxml has no type for it
    name, _, below = path.partition("/")
    with xml.element(_tag(name), {"Ccy": CURRENCY} if name == "InstdAmt" else {}):
        if below:
            _write(xml, below, held)
        elif isinstance(held, str):
            xml.write(held)
        else:
            for inner, value in held:
                _write(xml, inner, value)


def _tag(name: str) -> str:
    return f"{{{namespace(MESSAGE)}}}{name}"
