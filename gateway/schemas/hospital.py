"""What partner hospitals send and are shown."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from gateway.schemas.words import Asked, Yuan

SETTLEMENTS_MAX = 1_000


class SettlementRow(Asked):
    """A settlement under the names of the national interface; amounts are yuan as plain decimals.

    It describes, it does not judge: a wrong row is refused by itself, with its code, and the
    others go on.
    """

    setl_id: str
    mdtrt_id: str = ""
    psn_cert_type: str = ""
    certno: str
    psn_name: str
    insutype: str
    psn_type: str
    fixmedins_code: str
    fixmedins_name: str = ""
    hosp_lv: str
    med_type: str
    begndate: str
    enddate: str
    setl_time: str
    dise_codg: str = ""
    dise_name: str = ""
    medfee_sumamt: str
    fulamt_ownpay_amt: str
    overlmt_selfpay: str
    preselfpay_amt: str
    inscp_scp_amt: str
    act_pay_dedc: str
    hifp_pay: str
    hifob_pay: str
    fund_pay_sumamt: str
    psn_part_amt: str
    copay_pooled: str
    copay_large_sum: str
    refd_setl_flag: str = "0"


def settlements_body() -> dict[str, Any]:
    """Describe the body of a hospital's post, which is passed on as it was signed."""
    rows: dict[str, Any] = {
        "type": "array",
        "minItems": 1,
        "maxItems": SETTLEMENTS_MAX,
        "items": SettlementRow.model_json_schema(),
    }
    body = {"type": "object", "properties": {"settlements": rows}, "required": ["settlements"]}
    return {"required": True, "content": {"application/json": {"schema": body}}}


class SettlementResult(BaseModel):
    setl_id: str
    status: str
    code: str | None = None
    benefit: Yuan | None = None
    claim_id: UUID | None = None


class SettlementResults(BaseModel):
    results: list[SettlementResult]
