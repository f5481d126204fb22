"""Writes reports on orders (pain.002.001.12): a technical answer first, what became of it later."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deploy.sandbox.bank.iso.xml import DECLARATION, amount, element
from deploy.sandbox.bank.reasons import LineReason

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"
ACCEPTED = "ACTC"
SETTLED = "ACSC"
REFUSED = "RJCT"
PARTLY = "PART"
IN_PROCESS = "PDNG"
NARRATIVE = "NARR"
ID = 35
WORDS = 105

CODES = {
    LineReason.NAME_DIFFERS: "BE01",
    LineReason.CLOSED: "AC04",
    LineReason.FROZEN: "AC06",
    LineReason.NO_FUNDS: "AM04",
    LineReason.OVER_LIMIT: "AM02",
    LineReason.NO_SUCH_ACCOUNT: "AC01",
    LineReason.CURRENCY: NARRATIVE,
    LineReason.INSTRUCTION_BOOKED: "AM05",
}
BY_DIGITS = {reason.code: code for reason, code in CODES.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a transaction; `serial` is the bank's number where it is settled."""

    instruction_id: str
    amount_fen: int
    status: str
    code: str = ""
    words: str = ""
    serial: str = ""


@dataclass(slots=True)
class Report:
    """A report on one order; `at` is its ISO moment, whose day is the day of booking."""

    order_id: str
    number: int
    at: str
    status: str
    code: str = ""
    words: str = ""


def pieces(report: Report, lines: Iterable[Line]) -> Iterator[str]:
    """Give the file's text in pieces; without lines it speaks of the order as a whole."""
    yield f'{DECLARATION}<Document xmlns="{NAMESPACE}"><CstmrPmtStsRpt><GrpHdr>'
    yield element("MsgId", f"PAIN002-{report.order_id}-{report.number}", ID)
    yield f"<CreDtTm>{report.at}</CreDtTm></GrpHdr><OrgnlGrpInfAndSts>"
    yield element("OrgnlMsgId", report.order_id, ID)
    yield "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
    yield f"<GrpSts>{report.status}</GrpSts>{_reason(report.code, report.words)}"
    yield "</OrgnlGrpInfAndSts>"
    begun = False
    for line in lines:
        if not begun:
            yield f"<OrgnlPmtInfAndSts>{element('OrgnlPmtInfId', report.order_id, ID)}"
            begun = True
        yield _transaction(line)
    if begun:
        yield "</OrgnlPmtInfAndSts>"
    yield "</CstmrPmtStsRpt></Document>\n"


def _transaction(line: Line) -> str:
    return "".join(
        [
            "<TxInfAndSts>",
            element("OrgnlEndToEndId", line.instruction_id, ID),
            f"<TxSts>{line.status}</TxSts>",
            _reason(line.code, line.words),
            element("AcctSvcrRef", line.serial, ID),
            f"<OrgnlTxRef><Amt>{amount('InstdAmt', line.amount_fen)}</Amt></OrgnlTxRef>",
            "</TxInfAndSts>",
        ]
    )


def _reason(code: str, words: str) -> str:
    if not code:
        return ""
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn>{element('AddtlInf', words, WORDS)}</StsRsnInf>"
