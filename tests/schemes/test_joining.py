"""What joining costs, who is admitted, and until when a claim is to be paid."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.common.money import Fen
from services.common.schemes.errors import SchemeFigureMissing, SchemeUnknown
from services.common.schemes.figures import Figure
from services.common.schemes.joining import (
    FeeDue,
    SharesAboveMaximum,
    admitted,
    fee,
    offered,
    pay_by,
)
from services.common.schemes.load import DATA, convert, load_rulebook
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook

RULEBOOK = load_rulebook()
DAY = date(2023, 3, 1)
BEFORE_ALL_FIGURES = date(2019, 12, 31)
MEDICAL = RULEBOOK.scheme("ct.medical")
SHARES = {"ct.medical": 1, "ct.women": 3, "ct.critical": 3, "ct.accident": 10, "wh.medical": 1}
FEES = {
    "ct.medical": 5500,
    "ct.women": 5500,
    "ct.critical": 4000,
    "ct.accident": 1000,
    "wh.medical": 6000,
}
joined = st.fixed_dictionaries(
    {}, optional={scheme_id: st.integers(1, most) for scheme_id, most in SHARES.items()}
)


def due(units: Mapping[str, int], *, new_member: bool = False) -> FeeDue:
    return fee(RULEBOOK, units, new_member=new_member, day=DAY)


def promising(months: int) -> Scheme:
    promise = Figure(value=months, valid_from=date(2020, 1, 1))
    return msgspec.structs.replace(MEDICAL, processing_months=(promise,))


def without(scheme_id: str, *place: str) -> Scheme:
    """Read a scheme from its file, with no figures at one place of it."""
    raw = yaml.safe_load((DATA / f"{scheme_id}.yaml").read_text("utf-8"))
    part = raw
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = []
    return convert(raw)


def test_each_share_costs_its_fee() -> None:
    assert due({"ct.critical": 2, "ct.accident": 7}) == FeeDue(Fen(15_000), Fen(15_000))


def test_who_is_new_enters_the_association_once_for_all_its_plans() -> None:
    assert due({"ct.medical": 1}, new_member=True).total == 5500 + 1000
    assert due({"ct.medical": 1, "ct.women": 2, "ct.accident": 1}, new_member=True).total == (
        5500 + 11_000 + 1000 + 1000
    )


def test_nobody_enters_where_there_is_no_association() -> None:
    assert due({"bj.mutual": 1}, new_member=True) == FeeDue(Fen(0), Fen(0))


def test_the_member_does_not_pay_what_the_union_adds() -> None:
    assert due({"wh.medical": 1}) == FeeDue(total=Fen(6000), member_pays=Fen(5000))


def test_a_package_has_a_fee_of_its_own() -> None:
    assert due({"ct.package": 1}, new_member=True).total == 8500 + 1000


def test_shares_above_the_maximum_are_refused() -> None:
    assert due({"ct.women": 3}).total == 16_500
    with pytest.raises(SharesAboveMaximum) as refused:
        due({"ct.accident": 1, "ct.women": 4})
    assert (refused.value.scheme_id, refused.value.units, refused.value.most) == ("ct.women", 4, 3)
    assert refused.value.code == "SHARES_ABOVE_MAXIMUM"


def test_the_shares_in_a_package_are_held_like_others() -> None:
    assert due({"ct.package": 1, "ct.accident": 9}).total == 8500 + 9000
    with pytest.raises(SharesAboveMaximum, match=r"ct\.accident: 11 shares, at most 10"):
        due({"ct.package": 1, "ct.accident": 10})


def test_there_is_no_fee_for_a_plan_that_nobody_wrote() -> None:
    with pytest.raises(SchemeUnknown):
        due({"ct.medical": 1, "ct.dental": 1})


@pytest.mark.parametrize(
    "figure",
    ["enrolment.units_max", "enrolment.fee.member", "enrolment.fee.membership.amount"],
)
def test_a_fee_without_its_figures_names_the_one_that_is_missing(figure: str) -> None:
    rulebook = Rulebook([without("ct.medical", *figure.split("."))])
    with pytest.raises(SchemeFigureMissing) as missing:
        fee(rulebook, {"ct.medical": 1}, new_member=True, day=DAY)
    assert (missing.value.figure, missing.value.day) == (figure, DAY)


@pytest.mark.parametrize(
    "figure", ["enrolment.participation.rate", "enrolment.participation.all_below"]
)
def test_half_a_rule_of_participation_admits_nobody(figure: str) -> None:
    scheme = without("ct.medical", *figure.split("."))
    with pytest.raises(SchemeFigureMissing) as missing:
        admitted(scheme, staff=30, joining=30, day=DAY)
    assert (missing.value.figure, missing.value.day) == (figure, DAY)


def test_a_package_needs_the_number_of_shares_in_it() -> None:
    package = without("ct.package", "includes", "ct.critical")
    rulebook = Rulebook([*(s for s in RULEBOOK if s.scheme_id != "ct.package"), package])
    with pytest.raises(SchemeFigureMissing, match=r"includes\.ct\.critical"):
        fee(rulebook, {"ct.package": 1}, new_member=False, day=DAY)


def test_the_fee_is_that_of_the_day() -> None:
    with pytest.raises(SchemeFigureMissing):
        fee(RULEBOOK, {"ct.medical": 1}, new_member=False, day=BEFORE_ALL_FIGURES)


@given(joined, st.booleans())
def test_a_fee_is_the_sum_of_its_shares_and_of_one_entrance(
    units: dict[str, int],
    new_member: bool,  # noqa: FBT001 (hypothesis passes by position)
) -> None:
    total, member_pays = due(units, new_member=new_member)
    enters = new_member and any(scheme_id.startswith("ct.") for scheme_id in units)
    assert total == sum(FEES[scheme_id] * n for scheme_id, n in units.items()) + 1000 * enters
    assert total - member_pays == 1000 * units.get("wh.medical", 0)


@pytest.mark.parametrize(
    ("staff", "joining", "enough"),
    [
        (250, 200, True),
        (250, 199, False),
        (26, 21, True),  # 20.8 of 26
        (26, 20, False),
        (20, 16, True),
        (20, 15, False),
        (19, 19, True),
        (19, 18, False),
        (1, 1, True),
        (1, 0, False),
    ],
)
def test_four_of_five_must_join_and_of_a_small_unit_everybody(
    staff: int, joining: int, *, enough: bool
) -> None:
    assert admitted(MEDICAL, staff=staff, joining=joining, day=DAY) is enough


def test_a_scheme_without_such_a_rule_admits_anybody() -> None:
    assert admitted(RULEBOOK.scheme("bj.mutual"), staff=500, joining=1, day=DAY)


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_who_joins_in_addition_never_shuts_a_unit_out(staff: int, joining: int) -> None:
    enough = admitted(MEDICAL, staff=staff, joining=joining, day=DAY)
    assert enough == (joining >= (staff if staff < 20 else Decimal("0.8") * staff))
    assert admitted(MEDICAL, staff=staff, joining=joining + 1, day=DAY) >= enough
    assert admitted(MEDICAL, staff=staff, joining=staff, day=DAY)


@pytest.mark.parametrize(
    ("accepted_on", "last_day"),
    [
        (date(2023, 4, 8), date(2023, 5, 8)),
        (date(2023, 9, 1), date(2023, 10, 1)),  # a holiday
        (date(2023, 10, 31), date(2023, 11, 30)),
        (date(2024, 1, 30), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2024, 3, 29)),
        (date(2023, 12, 5), date(2024, 1, 5)),
    ],
)
def test_a_claim_is_paid_by_the_same_day_of_the_next_month(
    accepted_on: date, last_day: date
) -> None:
    assert pay_by(MEDICAL, accepted_on) == last_day


def test_a_scheme_that_promises_no_time_has_no_last_day() -> None:
    assert pay_by(RULEBOOK.scheme("bj.mutual"), DAY) is None


def test_a_promise_that_is_not_in_force_is_missing() -> None:
    with pytest.raises(SchemeFigureMissing, match="processing_months"):
        pay_by(MEDICAL, BEFORE_ALL_FIGURES)


@given(st.dates(date(2020, 1, 1), date(2100, 12, 30)), st.integers(1, 30))
def test_the_last_day_lies_so_many_months_on_and_never_moves_back(day: date, months: int) -> None:
    scheme = promising(months)
    last, next_last = pay_by(scheme, day), pay_by(scheme, day + timedelta(days=1))
    assert last is not None
    assert next_last is not None
    assert (last.year - day.year) * 12 + last.month - day.month == months
    assert last.day == min(day.day, monthrange(last.year, last.month)[1])
    assert last <= next_last


def test_what_can_be_joined_has_a_maximum_of_shares_and_can_be_worked_out() -> None:
    found = offered(RULEBOOK)
    assert found["ct.accident"] == 10
    assert found["ct.package"] == 1
    assert found["cq.relief"] >= 1
    assert "wh.allowance" not in found
    assert len(found) == len(list(RULEBOOK)) - 1
