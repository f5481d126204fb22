"""What a settlement of basic insurance says, in the words that rules ask for."""

from collections.abc import Mapping
from typing import Final

from services.claims.model import Facts, Settlement

# Codes of the national settlement interface.
_VISITS: Final[Mapping[str, str]] = {
    "11": "ordinary_outpatient",
    "14": "special_disease_outpatient",
    "21": "inpatient",
}
# ICD-10: injuries and poisonings, and their outward causes. What kind of accident it was no
# settlement says.
_ACCIDENTS: Final = ("S", "T", "V", "W", "X", "Y")


def facts_of(settlement: Settlement) -> Facts:
    code = settlement.dise_codg.open().upper()
    return Facts(
        day=settlement.enddate,
        admission=settlement.begndate,
        # A settlement at the hospital's counter is the claim.
        claimed_on=settlement.setl_time.date(),
        visit=_VISITS.get(settlement.med_type, settlement.med_type),
        cause=_cause(code),
        diagnosis=settlement.dise_codg if code else None,
        hospital_level=_level(settlement.hosp_lv),
        in_scope=settlement.inscp_scp_amt,
        self_pay_one=settlement.self_pay_one,
        pooled_paid=settlement.hifp_pay,
        co_pay_pooled=settlement.copay_pooled,
        co_pay_large_sum=settlement.copay_large_sum,
        own_cost=settlement.psn_part_amt,
        psn_type=settlement.psn_type,
        insutype=settlement.insutype,
    )


def _cause(code: str) -> str:
    if not code:
        return ""
    return "accident" if code.startswith(_ACCIDENTS) else "disease"


def _level(text: str) -> int | None:
    """`3`, `03` and the dictionary's `3A` are level 3; 0 and other words tell none."""
    digits = text.lstrip("0")[:1]
    return int(digits) if digits in ("1", "2", "3") else None
