"""Orders as a customer writes them by the standard, and what a customer reads of the answers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

PAYER = "3100000000000000026"
WITHIN_S = 20.0

# Two transfers, with what the standard allows beyond the two sides' agreement: it is passed over.
SAMPLE = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>20261122000001</MsgId>
      <CreDtTm>2026-11-22T10:00:00.123+08:00</CreDtTm>
      <NbOfTxs>2</NbOfTxs>
      <CtrlSum>1234.57</CtrlSum>
      <InitgPty><Nm>重庆市总工会</Nm><Id><OrgId><AnyBIC>ICBKCNBJCQG</AnyBIC></OrgId></Id></InitgPty>
    </GrpHdr>
    <PmtInf>
      <PmtInfId>20261122000001</PmtInfId>
      <PmtMtd>TRF</PmtMtd>
      <BtchBookg>true</BtchBookg>
      <NbOfTxs>2</NbOfTxs>
      <CtrlSum>1234.57</CtrlSum>
      <ReqdExctnDt><Dt>2026-11-22</Dt></ReqdExctnDt>
      <Dbtr><Nm>重庆市总工会</Nm><PstlAdr><Ctry>CN</Ctry></PstlAdr></Dbtr>
      <DbtrAcct><Id><Othr><Id>3100000000000000026</Id></Othr></Id><Ccy>CNY</Ccy></DbtrAcct>
      <DbtrAgt>
        <FinInstnId>
          <ClrSysMmbId><ClrSysId><Prtry>CNAPS</Prtry></ClrSysId><MmbId>102653000001</MmbId></ClrSysMmbId>
        </FinInstnId>
      </DbtrAgt>
      <!-- a remark of whoever wrote this -->
      <CdtTrfTxInf>
        <PmtId><InstrId>A1</InstrId><EndToEndId>A1</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="CNY">1234.56</InstdAmt></Amt>
        <CdtrAgt><FinInstnId><Nm>中国工商银行</Nm></FinInstnId></CdtrAgt>
        <Cdtr><Nm>阿依古丽·买买提 &amp; 𠀀</Nm></Cdtr>
        <CdtrAcct><Id><Othr><Id>6217000000000000012</Id></Othr></Id></CdtrAcct>
        <Purp><Cd>BENE</Cd></Purp>
        <RmtInf><Ustrd>互助金</Ustrd></RmtInf>
      </CdtTrfTxInf>
      <CdtTrfTxInf>
        <PmtId><EndToEndId>A2</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="CNY">0.01</InstdAmt></Amt>
        <Cdtr><Nm>张三</Nm></Cdtr>
        <CdtrAcct><Id><Othr><Id>6222021000112345672</Id></Othr></Id></CdtrAcct>
      </CdtTrfTxInf>
    </PmtInf>
  </CstmrCdtTrfInitn>
</Document>
"""


@dataclass(frozen=True)
class To:
    """A transfer of an order."""

    account: str
    amount: str = "10.00"
    name: str = "张三"
    instruction: str = ""


def order(number: str, transfers: Sequence[To], payer: str = PAYER) -> str:
    """Write an order; a transfer without an instruction id gets one of number and place."""
    fen = sum(int(to.amount.replace(".", "")) for to in transfers)
    sums = f"<NbOfTxs>{len(transfers)}</NbOfTxs><CtrlSum>{fen // 100}.{fen % 100:02d}</CtrlSum>"
    head, _, rest = SAMPLE.partition("<CdtTrfTxInf>")
    head = head.replace("<NbOfTxs>2</NbOfTxs>\n      <CtrlSum>1234.57</CtrlSum>", sums)
    head = head.replace("20261122000001", number).replace(PAYER, payer)
    ids = (to.instruction or f"I{number}-{place}" for place, to in enumerate(transfers, 1))
    lines = [
        f"<CdtTrfTxInf><PmtId><EndToEndId>{one}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="CNY">{to.amount}</InstdAmt></Amt><Cdtr><Nm>{to.name}</Nm></Cdtr>'
        f"<CdtrAcct><Id><Othr><Id>{to.account}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>"
        for one, to in zip(ids, transfers, strict=True)
    ]
    return head + "".join(lines) + rest[rest.rindex("</PmtInf>") :]


@dataclass(frozen=True)
class Wire:
    """The customer's side of the drop folder."""

    root: Path

    def put(self, name: str, text: str | bytes) -> Path:
        path = self.root / "to-bank" / name
        part = path.with_name(name + ".part")
        part.write_bytes(text if isinstance(text, bytes) else text.encode())
        return part.rename(path)

    def order(self, number: str, *transfers: To, payer: str = PAYER) -> str:
        name = f"PAIN001_U1_20261122_{number}.xml"
        self.put(name, order(number, transfers, payer))
        return name

    async def taken(self, name: str) -> Path:
        """Wait until the bank has taken and answered a file."""
        return await self._there(self.root / "to-bank" / "taken" / name)

    async def got(self, name: str) -> ET.Element:
        """Wait for a file of the bank's, and read it."""
        await self._there(self.root / "from-bank" / name)
        return self.read(name)

    def read(self, name: str) -> ET.Element:
        return ET.fromstring((self.root / "from-bank" / name).read_text())  # noqa: S314 - the bank's own

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.root / "from-bank").glob("*.xml"))

    async def _there(self, path: Path) -> Path:
        give_up = time.monotonic() + WITHIN_S
        while not path.exists():  # noqa: ASYNC240 - a look takes microseconds
            assert time.monotonic() < give_up, path.name
            await asyncio.sleep(0.01)
        return path


def texts(root: ET.Element, tag: str) -> list[str]:
    """Give the texts of all elements of a name, in order."""
    return [one.text or "" for one in root.iter(f"{root.tag.partition('}')[0]}}}{tag}")]
