"""Reads a payment order (pain.001.001.09) as a stream: every element in its place, or refused.

The places are those of the standard as far as this bank takes it; what the standard allows beyond
(addresses, purposes, tax) is passed over. DTDs are refused before an entity could be declared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, NoReturn
from xml.parsers import expat

from deploy.sandbox.bank.iso.places import AMOUNT, ENVELOPE, TOP, TRANSACTION, Place

BEGIN = b"<?xml "
CHUNK_BYTES = 64 * 1024
DEPTH_MAX = 32
TEXT_MAX = 1_000
SYNTAX = "FF01"
CONTROL_SUM = "AM10"


class OrderRefused(Exception):
    """The whole file is refused, with an ISO reason; the MsgId where it came as far as that."""

    def __init__(self, code: str, message_id: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message_id = message_id


@dataclass(frozen=True, slots=True)
class Order:
    """What stands before and behind the transactions."""

    message_id: str
    payer: str
    payer_name: str
    currency: str
    count: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class Transaction:
    instruction_id: str
    account: str
    name: str
    amount_fen: int
    remark: str


def check(file: IO[bytes]) -> Order:
    """Read a file to its end and give what it orders, or raise OrderRefused."""
    reading = _Reading()
    count = total_fen = 0
    for transaction in reading.transactions(file):
        count += 1
        total_fen += transaction.amount_fen
    head = reading.head
    message_id = head["GrpHdr/MsgId"]
    for place in ("GrpHdr", "PmtInf"):
        announced = int(head[f"{place}/NbOfTxs"]), _fen(head[f"{place}/CtrlSum"])
        if announced != (count, total_fen):
            raise OrderRefused(CONTROL_SUM, message_id)
    if head["PmtInf/PmtInfId"] != message_id:
        raise OrderRefused(SYNTAX, message_id)
    return Order(
        message_id=message_id,
        payer=head["PmtInf/DbtrAcct/Id/Othr/Id"],
        payer_name=head["PmtInf/Dbtr/Nm"],
        currency=reading.currency,
        count=count,
        total_fen=total_fen,
    )


def transactions(file: IO[bytes]) -> Iterator[Transaction]:
    """Give the transactions of a file one by one, in their order."""
    return _Reading().transactions(file)


@dataclass
class _Reading:
    """Where the parser stands; `head` holds the texts outside of transactions by their path."""

    head: dict[str, str] = field(default_factory=dict[str, str])
    currency: str = ""
    _one: dict[str, str] = field(default_factory=dict[str, str])
    _done: list[Transaction] = field(default_factory=list[Transaction])
    _stack: list[tuple[Place, int, int]] = field(default_factory=list[tuple[Place, int, int]])
    _text: list[str] = field(default_factory=list[str])
    _text_length: int = 0
    _place: Place = TOP
    _next: int = 0
    _seen: int = 0
    _passed_over: int = 0

    def transactions(self, file: IO[bytes]) -> Iterator[Transaction]:
        parser = self._parser()
        # Expat would follow a mark of UTF-16 whatever it is told.
        if file.read(len(BEGIN)) != BEGIN:
            self._refuse()
        parser.Parse(BEGIN, False)
        try:
            while chunk := file.read(CHUNK_BYTES):
                parser.Parse(chunk, False)
                yield from self._done
                self._done.clear()
            parser.Parse(b"", True)
        except expat.ExpatError:
            self._refuse()

    def _parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._no_dtd
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        return parser

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is None or encoding.lower() != "utf-8":
            self._refuse()

    def _no_dtd(self, *_: object) -> None:
        self._refuse()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._passed_over or self._place.passed_over:
            self._passed_over += 1
            if self._passed_over > DEPTH_MAX:
                self._refuse()
            return
        place = self._place.children.get(name)
        # A child stands behind the ones before it, and is repeated only where that is allowed.
        if place is None or place.order < self._next:
            self._refuse()
        self._take_blank()
        self._stack.append((self._place, place.next, self._seen | place.bit))
        self._place, self._next, self._seen = place, 0, 0
        if attributes or place.tag == AMOUNT:
            self._attributes(place, attributes)

    def _attributes(self, place: Place, attributes: dict[str, str]) -> None:
        """Take the currency of an amount; all of a file's amounts are in one."""
        if place.tag == AMOUNT:
            currency = attributes.pop("Ccy", "")
            self.currency = self.currency or currency
            if currency != self.currency:
                self._refuse()
        if attributes and place.tag not in ENVELOPE:
            self._refuse()

    def _data(self, text: str) -> None:
        if self._passed_over:
            return
        self._text_length += len(text)
        if self._text_length > TEXT_MAX:
            self._refuse()
        self._text.append(text)

    def _end(self, _name: str) -> None:
        if self._passed_over:
            self._passed_over -= 1
            return
        place = self._place
        if place.required & ~self._seen:
            self._refuse()
        if place.form is not None:
            text = self._take_text()
            if not place.form.fullmatch(text):
                self._refuse()
            (self._one if place.in_transaction else self.head)[place.path] = text
        elif place.passed_over:
            self._take_text()
        else:
            self._take_blank()
            if place.tag == TRANSACTION:
                self._done.append(self._transaction())
        self._place, self._next, self._seen = self._stack.pop()

    def _take_text(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        self._text_length = 0
        return text

    def _take_blank(self) -> None:
        """Between elements nothing stands but blanks."""
        if self._text and self._take_text().strip():
            self._refuse()

    def _transaction(self) -> Transaction:
        one, self._one = self._one, {}
        amount_fen = _fen(one["Amt/InstdAmt"])
        if not amount_fen or not self.currency or not one["Cdtr/Nm"].strip():
            self._refuse()
        return Transaction(
            instruction_id=one["PmtId/EndToEndId"],
            account=one["CdtrAcct/Id/Othr/Id"],
            name=one["Cdtr/Nm"],
            amount_fen=amount_fen,
            remark=one.get("RmtInf/Ustrd", ""),
        )

    def _refuse(self) -> NoReturn:
        raise OrderRefused(SYNTAX, self.head.get("GrpHdr/MsgId"))


def _fen(amount: str) -> int:
    return int(amount.replace(".", ""))
