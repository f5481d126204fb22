"""The places of a pain.001.001.09, in the standard's order, as far as this bank reads them.

A name's last sign says how often: `!` once, `?` at most once, `*` any number, `+` at least once.
Behind it stand the children, the form of the text, or ANY for what is passed over unread.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
ENVELOPE = ("Document", "CstmrCdtTrfInitn")
TRANSACTION = "CdtTrfTxInf"
AMOUNT = "InstdAmt"
ANY = None
Form = Union["re.Pattern[str]", "Mapping[str, Form]", None]

_DIGITS = re.compile(r"\d{1,20}", re.ASCII)
_COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_AMOUNT = re.compile(r"(?:0|[1-9]\d{0,12})\.\d{2}", re.ASCII)
_SUM = re.compile(r"(?:0|[1-9]\d{0,14})\.\d{2}", re.ASCII)
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_TRANSFER = re.compile("TRF")
_BATCHED = re.compile("true|1")
_CNAPS = re.compile("CNAPS")
_MEMBER = re.compile(r"\d{12}", re.ASCII)
_WORD_34 = re.compile(r"\S{1,34}", re.ASCII)
_WORD_35 = re.compile(r"[0-9A-Za-z_-]{1,35}", re.ASCII)
_TEXT_140 = re.compile(r".{1,140}", re.DOTALL)

_ACCOUNT: Form = {
    "Id!": {"Othr!": {"Id!": _WORD_34, "SchmeNm?": ANY, "Issr?": ANY}},
    "Tp?": ANY,
    "Ccy?": ANY,
    "Nm?": ANY,
    "Prxy?": ANY,
}
_PARTY: Form = {
    "Nm!": _TEXT_140,
    "PstlAdr?": ANY,
    "Id?": ANY,
    "CtryOfRes?": ANY,
    "CtctDtls?": ANY,
}
_OWN_AGENT: Form = {
    "FinInstnId!": {
        "BICFI?": ANY,
        "ClrSysMmbId!": {"ClrSysId!": {"Prtry!": _CNAPS}, "MmbId!": _MEMBER},
        "LEI?": ANY,
        "Nm?": ANY,
        "PstlAdr?": ANY,
        "Othr?": ANY,
    },
    "BrnchId?": ANY,
}
_TRANSACTION: Form = {
    "PmtId!": {"InstrId?": _WORD_35, "EndToEndId!": _WORD_35, "UETR?": ANY},
    "PmtTpInf?": ANY,
    "Amt!": {"InstdAmt!": _AMOUNT},
    "ChrgBr?": ANY,
    "UltmtDbtr?": ANY,
    "CdtrAgt?": ANY,
    "CdtrAgtAcct?": ANY,
    "Cdtr!": _PARTY,
    "CdtrAcct!": _ACCOUNT,
    "UltmtCdtr?": ANY,
    "Purp?": ANY,
    "RmtInf?": {"Ustrd*": _TEXT_140, "Strd*": ANY},
    "SplmtryData*": ANY,
}
_ORDER: Form = {
    "GrpHdr!": {
        "MsgId!": _DIGITS,
        "CreDtTm!": _MOMENT,
        "Authstn*": ANY,
        "NbOfTxs!": _COUNT,
        "CtrlSum!": _SUM,
        "InitgPty!": ANY,
        "FwdgAgt?": ANY,
    },
    "PmtInf!": {
        "PmtInfId!": _DIGITS,
        "PmtMtd!": _TRANSFER,
        "BtchBookg!": _BATCHED,
        "NbOfTxs!": _COUNT,
        "CtrlSum!": _SUM,
        "PmtTpInf?": ANY,
        "ReqdExctnDt!": {"Dt!": _DAY},
        "Dbtr!": _PARTY,
        "DbtrAcct!": _ACCOUNT,
        "DbtrAgt!": _OWN_AGENT,
        "ChrgBr?": ANY,
        "CdtTrfTxInf+": _TRANSACTION,
    },
    "SplmtryData*": ANY,
}


@dataclass(frozen=True, slots=True)
class Place:
    """An element's place: `bit` and `order` say which sibling, `next` the first that may follow.

    `path` begins below the order itself, or inside a transaction below the transaction.
    """

    tag: str
    path: str
    in_transaction: bool
    order: int
    next: int
    bit: int
    form: "re.Pattern[str] | None"
    passed_over: bool
    required: int
    children: Mapping[str, "Place"]


def _places(forms: Mapping[str, Form], above: str, *, in_transaction: bool) -> dict[str, Place]:
    """Give the places of siblings by the names a parser gives them."""
    places: dict[str, Place] = {}
    for order, (key, form) in enumerate(forms.items()):
        tag, often = key[:-1], key[-1]
        path = f"{above}/{tag}" if above else tag
        inside = in_transaction or tag == TRANSACTION
        below = "" if tag in (TRANSACTION, *ENVELOPE) else path
        mapping: Mapping[str, Form] = form if isinstance(form, Mapping) else {}
        children = _places(mapping, below, in_transaction=inside)
        places[f"{NAMESPACE} {tag}"] = Place(
            tag=tag,
            path=path,
            in_transaction=in_transaction,
            order=order,
            next=order + (often in "!?"),
            bit=1 << order,
            form=form if isinstance(form, re.Pattern) else None,
            passed_over=form is ANY,
            required=sum(1 << place for place, name in enumerate(mapping) if name[-1] in "!+"),
            children=children,
        )
    return places


_DOCUMENT: Form = {"Document!": {"CstmrCdtTrfInitn!": _ORDER}}
TOP = Place(
    tag="",
    path="",
    in_transaction=False,
    order=0,
    next=0,
    bit=0,
    form=None,
    passed_over=False,
    required=1,
    children=_places(_DOCUMENT, "", in_transaction=False),
)
