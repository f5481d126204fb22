"""What a settlement says, in the words that rules ask for."""

from datetime import date

import pytest

from services.claims.model import Facts
from services.common.identity import Diagnosis
from services.common.money import Fen
from tests.claims.settlements import a_settlement


def facts_of(**changed: str) -> Facts:
    """Read a stay in which no two amounts are equal."""
    stay = {
        "setl_time": "2024-03-10T18:00:00+08:00",
        "dise_codg": "c34.900x001",
        "medfee_sumamt": "10100.00",
        "fulamt_ownpay_amt": "50.00",
        "overlmt_selfpay": "20.00",
        "preselfpay_amt": "30.00",
        "inscp_scp_amt": "10000.00",
        "act_pay_dedc": "700.00",
        "hifp_pay": "7000.00",
        "hifob_pay": "500.00",
        "fund_pay_sumamt": "7600.00",
        "psn_part_amt": "2500.00",
        "copay_pooled": "1200.00",
        "copay_large_sum": "400.00",
    }
    return a_settlement(**(stay | changed)).facts


def test_a_settlement_is_read_whole() -> None:
    assert facts_of() == Facts(
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
    paid = {"fund_pay_sumamt": "10000.01", "psn_part_amt": "99.99"}
    paid |= {"copay_pooled": "0.00", "copay_large_sum": "0.00"}
    assert facts_of(**paid).self_pay_one == 0


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
    assert facts_of(med_type=med_type).visit == visit


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
    assert facts_of(dise_codg=code).cause == cause


def test_without_a_code_neither_cause_nor_diagnosis_is_known() -> None:
    facts = facts_of(dise_codg="")
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
        ("三级", None),
        ("X3", None),
    ],
)
def test_a_hospital_s_level_is_its_first_digit(text: str, level: int | None) -> None:
    assert facts_of(hosp_lv=text).hospital_level == level
