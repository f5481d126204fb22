"""Settlements as the insurance bureau reports them: made up, but every sum adds up to the fen."""

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from deploy.demo.people import Person

Row = dict[str, str]

AMOUNTS = (
    "medfee_sumamt",
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "inscp_scp_amt",
    "act_pay_dedc",
    "hifp_pay",
    "hifob_pay",
    "fund_pay_sumamt",
    "psn_part_amt",
    "copay_pooled",
    "copay_large_sum",
)
COLUMNS = (
    "setl_id",
    "mdtrt_id",
    "psn_cert_type",
    "certno",
    "psn_name",
    "insutype",
    "psn_type",
    "fixmedins_code",
    "fixmedins_name",
    "hosp_lv",
    "med_type",
    "begndate",
    "enddate",
    "setl_time",
    "dise_codg",
    "dise_name",
    *AMOUNTS,
    "refd_setl_flag",
)
OUTPATIENT, SPECIAL_OUTPATIENT, INPATIENT = "11", "14", "21"

_DISEASES = {
    OUTPATIENT: (("I10", "高血压"), ("E11.9", "2型糖尿病"), ("J06.9", "上呼吸道感染"), ("", "")),
    SPECIAL_OUTPATIENT: (("N18.9", "慢性肾脏病"), ("C50.9", "乳腺恶性肿瘤")),
    INPATIENT: (("J18.9", "肺炎"), ("K80.2", "胆囊结石"), ("I63.9", "脑梗死"), ("O82", "剖宫产")),
}
_KINDS = (OUTPATIENT, SPECIAL_OUTPATIENT, INPATIENT)
_KIND_WEIGHTS = (80, 5, 15)
_POOLED_FUND_MAX_FEN = 500_000_00  # what lies above is the large-expense fund's


class Hospital(NamedTuple):
    code: str
    name: str
    level: str


class Cost(NamedTuple):
    """The few figures of a visit from which all others follow, in fen."""

    total: int
    out_of_scope: int
    over_limit: int
    first_share: int
    deductible: int
    fund_percent: int


def visits(
    rng: random.Random,
    people: Sequence[Person],
    hospitals: Sequence[Hospital],
    *,
    first_day: date,
    last_day: date,
    count: int,
) -> Iterator[Row]:
    """Give settlements in the order of their days, every one of somebody covered that day."""
    span = (last_day - first_day).days
    for number in range(1, count + 1):
        ended = first_day + timedelta(days=number * span // count)
        patient = rng.choice(people)
        while patient.hired_on > ended:
            patient = rng.choice(people)
        kind = rng.choices(_KINDS, _KIND_WEIGHTS)[0]
        yield visit(rng, number, patient, rng.choice(hospitals), kind=kind, ended=ended)


def visit(
    rng: random.Random,
    number: int,
    patient: Person,
    hospital: Hospital,
    *,
    kind: str,
    ended: date,
    cost: Cost | None = None,
) -> Row:
    begun = ended - timedelta(days=rng.randrange(3, 15) if kind == INPATIENT else 0)
    code, name = rng.choice(_DISEASES[kind])
    hour, minute = rng.randrange(8, 18), rng.randrange(60)
    return {
        "setl_id": f"BJ{ended:%y%m%d}{number:07d}",
        "mdtrt_id": f"V{number:07d}",
        "psn_cert_type": "01",
        "certno": patient.id_number,
        "psn_name": patient.name,
        "insutype": "310",
        "psn_type": "11",
        "fixmedins_code": hospital.code,
        "fixmedins_name": hospital.name,
        "hosp_lv": hospital.level,
        "med_type": kind,
        "begndate": begun.isoformat(),
        "enddate": ended.isoformat(),
        "setl_time": f"{ended}T{hour:02d}:{minute:02d}:00+08:00",
        "dise_codg": code,
        "dise_name": name,
        **amounts(cost or _cost(rng, kind)),
        "refd_setl_flag": "0",
    }


def amounts(cost: Cost) -> Row:
    """Write all amounts of a cost; what the fund does not pay is the person's."""
    in_scope = cost.total - cost.out_of_scope - cost.over_limit - cost.first_share
    deductible = min(cost.deductible, in_scope)
    fund = (in_scope - deductible) * cost.fund_percent // 100
    pooled = min(fund, _POOLED_FUND_MAX_FEN)
    fen = (
        cost.total,
        cost.out_of_scope,
        cost.over_limit,
        cost.first_share,
        in_scope,
        deductible,
        pooled,
        fund - pooled,
        fund,
        cost.total - fund,
        in_scope - deductible - fund,
        0,
    )
    return {name: yuan(amount) for name, amount in zip(AMOUNTS, fen, strict=True)}


def yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _cost(rng: random.Random, kind: str) -> Cost:
    if kind == INPATIENT:
        total, deductible, percent = rng.randrange(6_000_00, 60_000_00), 1_300_00, 85
    else:
        total, deductible, percent = rng.randrange(300_00, 6_000_00), 300_00, 60
    over_limit = rng.randrange(total // 50) if rng.random() < 0.1 else 0  # noqa: PLR2004 - one in ten
    out_of_scope, first_share = rng.randrange(total // 10), rng.randrange(total // 12)
    return Cost(total, out_of_scope, over_limit, first_share, deductible, percent)
