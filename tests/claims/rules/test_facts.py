"""What a settlement says, in the words that rules ask for."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.claims.model import Facts, Settlement
from services.claims.rules.facts import facts_of
from services.common.identity import Diagnosis, IdNumber, PersonName
from services.common.money import Fen


def a_settlement(**changed: Any) -> Settlement:  # noqa: ANN401 (fields by name)
    """Give a stay in which no two amounts are equal."""
    row: dict[str, Any] = {
        "setl_id": "S1",
        "mdtrt_id": "V1",
        "psn_cert_type": "01",
        "certno": IdNumber("110101199003070011"),
        "psn_name": PersonName("张国强"),
        "insutype": "310",
        "psn_type": "11",
        "fixmedins_code": "H1",
        "fixmedins_name": "第1医院",
        "hosp_lv": "3",
        "med_type": "21",
        "begndate": date(2024, 3, 1),
        "enddate": date(2024, 3, 9),
        "setl_time": datetime(2024, 3, 10, 18, tzinfo=UTC),
        "dise_codg": Diagnosis("c34.900x001"),
        "dise_name": Diagnosis("肺恶性肿瘤"),
        "medfee_sumamt": Fen(10_100_00),
        "fulamt_ownpay_amt": Fen(50_00),
        "overlmt_selfpay": Fen(20_00),
        "preselfpay_amt": Fen(30_00),
        "inscp_scp_amt": Fen(10_000_00),
        "act_pay_dedc": Fen(700_00),
        "hifp_pay": Fen(7_000_00),
        "hifob_pay": Fen(500_00),
        "fund_pay_sumamt": Fen(7_600_00),
        "psn_part_amt": Fen(2_500_00),
        "copay_pooled": Fen(1_200_00),
        "copay_large_sum": Fen(400_00),
        "refund": False,
        "content_hash": b"",
        "mirror_hash": b"",
    }
    return Settlement(**(row | changed))


def test_a_settlement_is_read_whole() -> None:
    assert facts_of(a_settlement()) == Facts(
        day=date(2024, 3, 9),
        event="treatment",
        admission=date(2024, 3, 1),
        claimed_on=date(2024, 3, 10),
        visit="inpatient",
        cause="disease",
        diagnosis=Diagnosis("c34.900x001"),
        hospital_level=3,
        in_scope=Fen(10_000_00),
        self_pay_one=Fen(2_400_00),
        pooled_paid=Fen(7_000_00),
        co_pay_pooled=Fen(1_200_00),
        co_pay_large_sum=Fen(400_00),
        own_cost=Fen(2_500_00),
        psn_type="11",
        insutype="310",
    )


def test_funds_that_paid_more_than_the_scope_leave_no_burden() -> None:
    assert facts_of(a_settlement(fund_pay_sumamt=Fen(10_000_01))).self_pay_one == 0


@pytest.mark.parametrize(
    ("med_type", "visit"),
    [
        ("11", "ordinary_outpatient"),
        ("14", "special_disease_outpatient"),
        ("21", "inpatient"),
        ("41", "41"),
    ],
)
def test_kinds_of_care_have_names_and_others_keep_their_code(med_type: str, visit: str) -> None:
    assert facts_of(a_settlement(med_type=med_type)).visit == visit


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("J18.9", "disease"),
        ("R99", "disease"),
        ("Z95.1", "disease"),
        ("S06.0", "accident"),
        ("s06.0", "accident"),
        ("T05", "accident"),
        ("V01.1", "accident"),
        ("W19", "accident"),
        ("X99", "accident"),
        ("Y84.9", "accident"),
    ],
)
def test_injuries_and_outward_causes_are_accidents(code: str, cause: str) -> None:
    assert facts_of(a_settlement(dise_codg=Diagnosis(code))).cause == cause


def test_without_a_code_neither_cause_nor_diagnosis_is_known() -> None:
    facts = facts_of(a_settlement(dise_codg=Diagnosis("")))
    assert (facts.cause, facts.diagnosis) == ("", None)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("1", 1),
        ("02", 2),
        ("3A", 3),
        ("3", 3),
        ("0", None),
        ("9", None),
        ("", None),
        ("三级", None),
        ("X3", None),
    ],
)
def test_a_hospital_s_level_is_its_first_digit(text: str, level: int | None) -> None:
    assert facts_of(a_settlement(hosp_lv=text)).hospital_level == level
