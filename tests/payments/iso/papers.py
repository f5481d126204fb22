"""Files of a bank that speaks ISO 20022, written by hand, and a folder to lay them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from services.common.identity import CardNumber, PersonName
from services.common.money import Fen
from services.payments.channels.base import Payer
from services.payments.channels.folder import DropFolder
from services.payments.channels.iso20022.channel import Iso20022
from services.payments.model.batches import Instruction
from services.payments.model.payouts import Payee, instruction_id

ACCOUNT = "3100000000000000026"
PAYER = Payer(ACCOUNT, "中国职工保险互助会重庆办事处", "UNION01", "职工医疗互助金")
CNAPS = "103653000018"
DAY = date(2026, 11, 22)
CARD = "6217000000000000012"
# Made on 2026-11-22 at 08:30:00.123 in China.
BATCH_ID = UUID(int=1795307400123 << 80 | 7 << 76 | 0b10 << 62 | 5)
BATCH_NO = str(BATCH_ID.int >> 64)
IDS = [instruction_id(UUID(int=number), 1) for number in range(1, 10)]


def a_payee(name: str = "王小明", card: str = CARD, bank: str = "工商银行") -> Payee:
    return Payee(PersonName(name), CardNumber(card), bank)


def instructions(*amounts_fen: int) -> list[Instruction]:
    """Give lines with the ids of `IDS`."""
    return [
        Instruction(line, IDS[line - 1], a_payee(), Fen(amount_fen))
        for line, amount_fen in enumerate(amounts_fen, 1)
    ]


def document(message: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{message}">\n{body}\n</Document>\n'
    )


def transfer(
    instruction: str, status: str, code: str = "", amount: str = "1.00", serial: str = ""
) -> str:
    reason = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""
    reference = f"<AcctSvcrRef>{serial}</AcctSvcrRef>" if serial else ""
    named = (
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="CNY">{amount}</InstdAmt></Amt></OrgnlTxRef>'
        if amount
        else ""
    )
    return f"""
      <TxInfAndSts>
        <OrgnlEndToEndId>{instruction}</OrgnlEndToEndId>
        <TxSts>{status}</TxSts>{reason}{reference}{named}
      </TxInfAndSts>"""


def report(
    status: str,
    *transfers: str,
    code: str = "",
    batch_no: str = BATCH_NO,
    payment: str = BATCH_NO,
    at: str = "2026-11-22T15:04:05+08:00",
) -> str:
    reason = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""
    lines = "".join(transfers)
    payments = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{payment}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>"
    )
    return document(
        "pain.002.001.12",
        f"""  <CstmrPmtStsRpt>
    <GrpHdr><MsgId>R1</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr>
    <OrgnlGrpInfAndSts>
      <OrgnlMsgId>{batch_no}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
      <GrpSts>{status}</GrpSts>{reason}
    </OrgnlGrpInfAndSts>
    {payments if transfers else ""}
  </CstmrPmtStsRpt>""",
    )


def entry(
    kind: str,
    sign: str = "DBIT",
    amount: str = "1.00",
    *,
    ref: str = "1",
    details: str = "",
    reversal: str = "",
    day: str = "2026-11-22",
    status: str = "BOOK",
    currency: str = "CNY",
) -> str:
    taken_back = f"<RvslInd>{reversal}</RvslInd>" if reversal else ""
    within = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    return f"""
      <Ntry>
        <Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{taken_back}
        <Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>
        <AcctSvcrRef>{ref}</AcctSvcrRef><BkTxCd><Prtry><Cd>{kind}</Cd></Prtry></BkTxCd>{within}
      </Ntry>"""


def notice(*entries: str, account: str = ACCOUNT) -> str:
    return document(
        "camt.054.001.08",
        f"""  <BkToCstmrDbtCdtNtfctn>
    <GrpHdr><MsgId>N1</MsgId><CreDtTm>2026-11-22T15:04:05+08:00</CreDtTm></GrpHdr>
    <Ntfctn><Id>N1</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>{"".join(entries)}
    </Ntfctn>
  </BkToCstmrDbtCdtNtfctn>""",
    )


def balance(code: str, amount: str, sign: str = "CRDT") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        "<Dt><Dt>2026-11-22</Dt></Dt></Bal>"
    )


def statement(
    balances: Sequence[str],
    *entries: str,
    account: str = ACCOUNT,
    at: str = "2026-11-23T00:00:00+08:00",
) -> str:
    return document(
        "camt.053.001.08",
        f"""  <BkToCstmrStmt>
    <GrpHdr><MsgId>S1</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr>
    <Stmt><Id>S1</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>
      {"".join(balances)}{"".join(entries)}
    </Stmt>
  </BkToCstmrStmt>""",
    )


@dataclass
class Drop:
    """The shared folder, and the channel that looks at our side of it."""

    root: Path

    def __post_init__(self) -> None:
        (self.to_bank / "taken").mkdir(parents=True)
        self.from_bank.mkdir()
        self.channel = self.opened()

    @property
    def to_bank(self) -> Path:
        return self.root / "to-bank"

    @property
    def from_bank(self) -> Path:
        return self.root / "from-bank"

    def opened(self) -> Iso20022:
        """Begin anew, as a process does that has been started again."""
        return Iso20022(PAYER, DropFolder(self.root), CNAPS)

    def lay(self, name: str, content: str | bytes) -> None:
        """Put a file of the bank's as the bank does: whole, under its name at last."""
        raw = content if isinstance(content, bytes) else content.encode()
        part = self.from_bank / f"{name}.part"
        part.write_bytes(raw)
        part.rename(self.from_bank / name)

    def report(self, number: int, content: str | bytes) -> None:
        self.lay(f"PAIN002_{BATCH_NO}_{number}.xml", content)

    def notice(self, number: int, content: str | bytes) -> None:
        self.lay(f"CAMT054_{ACCOUNT}_{number:010d}.xml", content)

    def take(self, name: str) -> None:
        """Take a file of ours, as the bank does."""
        (self.to_bank / name).rename(self.to_bank / "taken" / name)
