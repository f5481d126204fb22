"""Reads what was booked on an account: notices (camt.054.001.08), day statements (camt.053)."""

from collections.abc import Mapping
from datetime import date
from typing import BinaryIO, Final, NamedTuple

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.channels.iso20022.documents import Part, day, fen, made_on, need, parts
from services.payments.channels.iso20022.reasons import reason
from services.payments.errors import ResultUnusable
from services.payments.model.statements import DayStatement, Direction, Movement, MovementKind

NOTICE: Final = "camt.054.001.08"
STATEMENT: Final = "camt.053.001.08"

_BOOKED: Final = "BOOK"
_OPENING: Final = "OPBD"
_CLOSING: Final = "CLBD"
_KINDS: Final[Mapping[str, MovementKind]] = {kind.value.upper(): kind for kind in MovementKind}
_SIGNS: Final[Mapping[str, Direction]] = {"CRDT": "credit", "DBIT": "debit"}


class Statement(NamedTuple):
    """A day statement, and the business day on which it was made."""

    made_on: date
    statement: DayStatement


def parse_notice(source: BinaryIO, account: str) -> list[Movement]:
    """Read a notice on an account whole, or raise `ResultUnusable`."""
    movements: list[Movement] = []
    for path, part in parts(source, NOTICE, "Ntfctn/Acct", "Ntfctn/Ntry"):
        if path == "Ntfctn/Acct":
            _require_account(part, account)
        elif _is_booked(part):
            movements.append(_movement(part))
    return movements


def parse_statement(source: BinaryIO, account: str, of: date) -> Statement:
    """Read the statement of a day whole, or raise `ResultUnusable`; its sums must agree."""
    header: Part = {}
    balances: dict[str, Fen] = {}
    movements: list[Movement] = []
    for path, part in parts(source, STATEMENT, "GrpHdr", "Stmt/Acct", "Stmt/Bal", "Stmt/Ntry"):
        if path == "GrpHdr":
            header = part
        elif path == "Stmt/Acct":
            _require_account(part, account)
        elif path == "Stmt/Bal":
            _take_balance(balances, part)
        elif _is_booked(part):
            movements.append(_movement(part))
    if not {_OPENING, _CLOSING} <= set(balances):
        raise ResultUnusable
    read = DayStatement(of, balances[_OPENING], balances[_CLOSING], movements)
    _require_right(read)
    return Statement(made_on(header), read)


def _require_account(part: Part, account: str) -> None:
    if part.get("Id/Othr/Id") != account:
        raise ResultUnusable


def _take_balance(balances: dict[str, Fen], part: Part) -> None:
    kind = part.get("Tp/CdOrPrtry/Cd", "")
    if kind in balances:
        raise ResultUnusable
    amount = fen(part, "Amt")
    balances[kind] = amount if part["CdtDbtInd"] == "CRDT" else Fen(-amount)


def _require_right(read: DayStatement) -> None:
    moved = sum(movement.signed_fen for movement in read.lines)
    on_the_day = all(movement.booked_on == read.day for movement in read.lines)
    if not on_the_day or read.opening_fen + moved != read.closing_fen:
        raise ResultUnusable


def _is_booked(entry: Part) -> bool:
    """Tell a booked entry from one that is only announced: that has moved nothing yet."""
    return entry.get("Sts/Cd") == _BOOKED


def _movement(entry: Part) -> Movement:
    amount_fen = fen(entry, "Amt")
    kind = _KINDS.get(entry.get("BkTxCd/Prtry/Cd", ""))
    if not amount_fen or kind is None:
        raise ResultUnusable
    details = "NtryDtls/TxDtls/"
    # With several transfers in one entry none of them is the entry's own.
    one = "" if "NtryDtls/TxDtls[2]" in entry or "NtryDtls[2]" in entry else details
    code = _of(entry, one, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
    # Who is on the other side of the account: the payer of what comes in, else the receiver.
    sides = ("Dbtr", "Cdtr") if entry["CdtDbtInd"] == "CRDT" else ("Cdtr", "Dbtr")
    return Movement(
        bank_ref=need(entry, "AcctSvcrRef"),
        booked_on=day(entry, "BookgDt/Dt"),
        direction=_direction(entry, kind),
        amount_fen=amount_fen,
        kind=kind,
        batch_no=entry.get("NtryDtls/Btch/PmtInfId", ""),
        instruction_id=_of(entry, one, "Refs/EndToEndId"),
        bank_code=code,
        reason=reason(code) if code else "",
        party=PersonName(_of(entry, one, *(f"RltdPties/{side}/Pty/Nm" for side in sides))),
        party_account=CardNumber(
            _of(entry, one, *(f"RltdPties/{side}Acct/Id/Othr/Id" for side in sides))
        ),
        remark=_of(entry, one, "RmtInf/Ustrd"),
    )


def _direction(entry: Part, kind: MovementKind) -> Direction:
    """Give the direction from our side; a reversal is written as a debit taken back."""
    taken_back = entry.get("RvslInd", "false").strip() in ("true", "1")
    sign = _SIGNS[entry["CdtDbtInd"]]
    if taken_back is not (kind is MovementKind.REVERSAL) or (taken_back and sign == "credit"):
        raise ResultUnusable
    return "credit" if taken_back else sign


def _of(entry: Part, above: str, *paths: str) -> str:
    """Give the first text there is at one of these paths; "" where there is none."""
    if not above:
        return ""
    return next((text for path in paths if (text := entry.get(above + path, ""))), "")
