"""Writes movements as they come (camt.054.001.08) and a day's statement (camt.053.001.08)."""

from collections.abc import Iterable, Iterator
from datetime import date

from deploy.sandbox.bank.iso.pain002 import BY_DIGITS, NARRATIVE, WORDS
from deploy.sandbox.bank.iso.xml import DECLARATION, amount, element
from deploy.sandbox.bank.movements import Kind, Movement, Statement

NOTICE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
DAY_STATEMENT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ID = 35
ACCOUNT = 34
NAME = 140
REMARK = 140


def notice(account: str, number: int, at: str, movements: Iterable[Movement]) -> Iterator[str]:
    """Give the text of a notice in pieces; `number` counts the account's notices from 1."""
    yield f'{DECLARATION}<Document xmlns="{NOTICE}"><BkToCstmrDbtCdtNtfctn>'
    yield f"{_head(f'{number:010d}', account, at)}<Ntfctn><Id>{number:010d}</Id>"
    yield f"<ElctrncSeqNb>{number}</ElctrncSeqNb>"
    yield _account("Acct", account)
    yield from map(_entry, movements)
    yield "</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>\n"


def statement(account: str, balances: Statement, at: str) -> Iterator[str]:
    """Give the text of a day's statement in pieces."""
    day = f"{balances.day:%Y%m%d}"
    yield f'{DECLARATION}<Document xmlns="{DAY_STATEMENT}"><BkToCstmrStmt>'
    yield f"{_head(day, account, at)}<Stmt><Id>{day}</Id><CreDtTm>{at}</CreDtTm>"
    yield _account("Acct", account)
    yield _balance("OPBD", balances.opening_fen, balances.day)
    yield _balance("CLBD", balances.closing_fen, balances.day)
    yield from map(_entry, balances.lines)
    yield "</Stmt></BkToCstmrStmt></Document>\n"


def _head(number: str, account: str, at: str) -> str:
    message_id = element("MsgId", f"{number}-{account[-24:]}", ID)
    return f"<GrpHdr>{message_id}<CreDtTm>{at}</CreDtTm></GrpHdr>"


def _account(tag: str, account: str) -> str:
    number = element("Id", account, ACCOUNT)
    return f"<{tag}><Id><Othr>{number}</Othr></Id></{tag}>" if number else ""


def _balance(code: str, balance_fen: int, day: date) -> str:
    side = "CRDT" if balance_fen >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount('Amt', abs(balance_fen))}"
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day.isoformat()}</Dt></Dt></Bal>"
    )


def _entry(movement: Movement) -> str:
    """Write one line of the account; a reversal is a debit taken back (RvslInd)."""
    reversal = movement.kind is Kind.REVERSAL
    side = "CRDT" if movement.credit and not reversal else "DBIT"
    reversed_mark = "<RvslInd>true</RvslInd>" if reversal else ""
    return (
        f"<Ntry>{amount('Amt', movement.amount_fen)}<CdtDbtInd>{side}</CdtDbtInd>{reversed_mark}"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{movement.booked_on.isoformat()}</Dt></BookgDt>"
        f"<AcctSvcrRef>{movement.ref}</AcctSvcrRef>"
        f"<BkTxCd><Prtry><Cd>{movement.kind.value.upper()}</Cd></Prtry></BkTxCd>"
        f"{_details(movement, side)}</Ntry>"
    )


def _details(movement: Movement, side: str) -> str:
    order = element("PmtInfId", movement.batch, ID)
    # A debit of a whole batch names it so; what concerns one transfer refers to it.
    batch = order if movement.kind is Kind.PAYOUT else ""
    refs = ("" if batch else order) + element("EndToEndId", movement.instruction_id, ID)
    # The other side: who was credited where the payer is debited, and the reverse.
    party = "Dbtr" if side == "CRDT" and movement.kind is Kind.DEPOSIT else "Cdtr"
    name = element("Nm", movement.party, NAME)
    parties = f"<{party}><Pty>{name}</Pty></{party}>" if name else ""
    parties += _account(f"{party}Acct", movement.party_account)
    remark = element("Ustrd", movement.remark, REMARK)
    parts = [
        f"<Refs>{refs}</Refs>" if refs else "",
        f"<RltdPties>{parties}</RltdPties>" if parties else "",
        f"<RmtInf>{remark}</RmtInf>" if remark else "",
        _return(movement),
    ]
    details = "".join(parts)
    batch_part = f"<Btch>{batch}</Btch>" if batch else ""
    details_part = f"<TxDtls>{details}</TxDtls>" if details else ""
    inside = batch_part + details_part
    return f"<NtryDtls>{inside}</NtryDtls>" if inside else ""


def _return(movement: Movement) -> str:
    if not movement.code:
        return ""
    code = BY_DIGITS.get(movement.code, NARRATIVE)
    words = element("AddtlInf", movement.reason, WORDS)
    return f"<RtrInf><Rsn><Cd>{code}</Cd></Rsn>{words}</RtrInf>"
