"""What a scheme file must keep before anybody is paid by it, one refusal for each."""

import pytest

from tests.schemes.edits import Refused, between, check_refused

FLOOR_ENDS = "valid_to: 2023-10-31, clause"
FLOOR = "medical.inpatient.floor"


@pytest.mark.parametrize(
    "case",
    [
        Refused("wh.medical", FLOOR_ENDS, "clause", '"6000', f"{FLOOR} overlaps on 2023-11-01"),
        Refused(
            "wh.medical",
            FLOOR_ENDS,
            "valid_to: 2023-11-01, clause",
            '"6000.00"',
            f"{FLOOR} overlaps on 2023-11-01",
        ),
        Refused(
            "wh.medical",
            FLOOR_ENDS,
            "valid_to: 2023-10-30, clause",
            '"6000.00"',
            f"{FLOOR} has a gap from 2023-10-30 to 2023-11-01",
        ),
        Refused(
            "wh.medical",
            FLOOR_ENDS,
            "valid_to: 2022-10-31, clause",
            '"8000.00"',
            f"{FLOOR} ends before it begins",
        ),
        Refused(
            "wh.medical",
            "valid_from: 2023-11-01\n    valid_to: 2024-10-31",
            "valid_from: 2023-12-01\n    valid_to: 2024-10-31",
            'value: "15"',
            "periods has a gap from 2023-10-31 to 2023-12-01",
        ),
        Refused(
            "ct.women",
            "  female_8:\n",
            "  female_8:\n"
            "    - {value: [C50], valid_from: 2019-01-01, valid_to: 2020-06-30, assumed: x}\n",
            "C51",
            "female_8 overlaps on 2020-01-01",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_a_day_with_two_figures_or_none_is_refused(case: Refused) -> None:
    check_refused(case)


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            "wh.gig",
            "      assumed: the article does not speak of days that a new member waits\n",
            "",
            "value: 0",
            "enrolment.waiting_days has neither a document nor an assumption",
        ),
        Refused(
            "wh.gig",
            "      assumed: the article does not speak of days that",
            "      clause: para. 8\n      assumed: the article does not speak of days that",
            "value: 0",
            "enrolment.waiting_days has a clause or a quotation of no document",
        ),
        Refused(
            "wh.gig",
            "document: WH23",
            "document: WH24",
            "document: WH24",
            "enrolment.fee.member: WH24 is not listed",
        ),
        Refused(
            "wh.gig",
            "        clause: para. 8\n",
            "",
            'value: "0.00"',
            "enrolment.fee.member: WH23 without clause and quotation",
        ),
        Refused(
            "wh.gig",
            "        quote: 免费赠送暖“新”保险\n",
            "",
            'value: "0.00"',
            "enrolment.fee.member: WH23 without clause and quotation",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_a_value_that_nobody_can_look_up_is_refused(case: Refused) -> None:
    check_refused(case)


BANDS = "medical.inpatient.bands"


@pytest.mark.parametrize(
    "case",
    [
        Refused("wh.medical", '"0.90"', '"1.01"', "1.01", f"{BANDS}: 1.01 is no share"),
        Refused("wh.medical", '"0.80"', '"-0.80"', "-0.80", f"{BANDS}: -0.80 is no share"),
        Refused("wh.medical", '"0.90"', '"NaN"', "NaN", f"{BANDS}: NaN is no share"),
        Refused("wh.medical", '"50.00"', '"-50.00"', "-50", "fee.member: an amount below zero"),
        Refused("wh.medical", "days: 180", "days: -1", "-1", "window: a number below zero"),
        Refused(
            "cq.allowance",
            "youngest: 16",
            "youngest: 61",
            "youngest: 61",
            "admission.ages: the youngest is older than the oldest",
        ),
        Refused(
            "wh.medical",
            'to: "40000.00"}, {rate: "0.90"}',
            'to: "40000.00"}, {rate: "0.90", to: "40000.00"}',
            "40000.00",
            f"{BANDS} do not rise",
        ),
        Refused(
            "wh.medical",
            '{rate: "0.80", to: "40000.00"}',
            '{rate: "0.80"}',
            "0.80",
            f"{BANDS}: a band without end is not the last",
        ),
        Refused(
            "wh.medical",
            '[{rate: "0.80", to: "40000.00"}, {rate: "0.90"}]',
            "[]",
            "value: []",
            f"{BANDS} has no band",
        ),
        Refused(
            "wh.medical",
            'to: "40000.00"',
            'to: "8000.00"',
            '"8000.00"',
            f"{BANDS}: the first band ends at or below the floor",
        ),
        Refused(
            "wh.medical",
            '"100000.00"',
            '"7999.99"',
            "7999.99",
            "medical.cap is below a floor of the same days",
        ),
        Refused(
            "wh.medical",
            "      shared_with:",
            '      per_claim: [{value: "7999.99", valid_from: 2023-10-31, assumed: x}]\n'
            "      shared_with:",
            "per_claim",
            "medical.per_claim is below a floor of the same days",
        ),
        Refused("wh.gig", ', "0.10"]', "]", '"1.00"', "accident.grades are not 10 falling shares"),
        Refused("wh.gig", '"0.90"', '"1.00"', "1.00", "accident.grades are not 10 falling shares"),
    ],
    ids=lambda case: f"{case.reason}: {case.new}",
)
def test_figures_that_make_no_sense_are_refused(case: Refused) -> None:
    check_refused(case)


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            "bj.mutual",
            "[ordinary_outpatient, special_disease_outpatient]",
            "[ordinary_outpatient, inpatient]",
            "inpatient]",
            "medical: inpatient is taken by inpatient and outpatient",
        ),
        Refused(
            "bj.mutual",
            "    limits:",
            "        others: {name: {zh: 其他, en: others}}\n    limits:",
            "others:",
            "medical.others takes every visit, also those of other kinds",
        ),
        Refused(
            "bj.mutual",
            "        outpatient:\n          name",
            "        medical:\n          name",
            "medical:",
            "medical is the name of two benefits, kinds or sections",
        ),
        Refused(
            "ct.women",
            "  female_8:",
            "  rounding:",
            "rounding:",
            "rounding is the name of two figures",
        ),
        Refused(
            "ct.women",
            "value: female_8",
            "value: female_9",
            "female_9",
            "illness.illnesses: there is no list female_9",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_a_name_that_stands_for_two_things_or_none_is_refused(case: Refused) -> None:
    check_refused(case)


SAME_DAY = "  allowance.same_day: it belongs to the amount for a day, which no document gives\n"


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            "wh.medical",
            "value: half_up\n    valid_from: 2022-11-01",
            "value: half_up\n    valid_from: 2023-11-01",
            "rounding:",
            "rounding is needed on 2022-11-01, neither there nor declared missing",
        ),
        Refused(
            "wh.medical",
            "value: half_up\n    valid_from: 2022-11-01",
            "value: half_up\n    valid_from: 2022-11-01\n    valid_to: 2023-10-30",
            "rounding:",
            "rounding is needed on 2023-11-01",
        ),
        Refused(
            "wh.allowance",
            SAME_DAY,
            "",
            "same_day:",
            "allowance.same_day is needed on 2022-11-01, neither there nor declared missing",
        ),
        Refused(
            "wh.allowance",
            SAME_DAY,
            f"{SAME_DAY}  allowance.cap: nobody knows\n",
            "allowance.cap:",
            "allowance.cap is declared missing, but it is there",
        ),
        Refused(
            "wh.allowance",
            SAME_DAY,
            f"{SAME_DAY}  allowance.per_week: nobody knows\n",
            "allowance.per_week:",
            "allowance.per_week is declared missing, but it is no figure",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_what_a_benefit_needs_is_there_or_declared_missing(case: Refused) -> None:
    check_refused(case)


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            "wh.medical",
            between("wh.medical", "kinds:", "    limits:"),
            "kinds: {}\n",
            "formula:",
            "medical has no kind of care",
        ),
        Refused(
            "ct.medical",
            between("ct.medical", "sections:", "\ncases:"),
            "sections: {}\n",
            "formula:",
            "medical has no section",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_a_formula_without_its_parts_is_refused(case: Refused) -> None:
    check_refused(case)


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            "ct.women",
            "[C50,",
            "[C5O,",
            "C5O",
            "female_8: C5O is neither an ICD-10 code nor a range of them",
        ),
        Refused(
            "cq.critical",
            "C00-C43,",
            "C43-C00,",
            "C43-C00",
            "critical_25: C43-C00 is neither",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_illnesses_that_cover_nothing_are_refused(case: Refused) -> None:
    check_refused(case)


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            "bj.mutual",
            "valid_from: 2018-01-01\n",
            "valid_from: 2018-01-01\n          valid_to: 2018-06-30\n",
            "200000",
            "medical.cap changes on 2018-07-01, inside the period from 2018-01-01 to 2018-12-31",
        ),
        Refused(
            "wh.medical",
            '{value: "6000.00", valid_from: 2023-11-01, ',
            '{value: "6000.00", valid_from: 2023-11-01, valid_to: 2023-12-31, assumed: x}\n'
            '            - {value: "5000.00", valid_from: 2024-01-01, ',
            "6000.00",
            f"{FLOOR} changes on 2024-01-01, inside the period from 2023-11-01 to 2024-10-31",
        ),
        Refused(
            "cq.allowance",
            "value: cover_term",
            "value: calendar_year",
            "calendar_year",
            "daily.period: calendar_year does not go with figures of term_start",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_the_sums_of_a_period_never_stand_on_two_sets_of_terms(case: Refused) -> None:
    check_refused(case)


@pytest.mark.parametrize(
    "case",
    [
        Refused(
            "wh.gig",
            "shows: [hospital.same_day, ",
            "shows: [",
            "value: 1",
            "no case shows hospital.same_day@2022-11-01",
        ),
        Refused(
            "wh.medical",
            "shows: [medical.inpatient.floor@2023-11-01]",
            "shows: [medical.inpatient.floor]",
            "shows:",
            f"the-floor-of-period-15 shows {FLOOR}, which is no figure of the scheme",
        ),
        Refused(
            "wh.gig",
            "id: nobody-holds-two-shares",
            "id: the-cover-is-a-gift",
            "the-cover-is-a-gift",
            "the-cover-is-a-gift is the id of two cases",
        ),
    ],
    ids=lambda case: case.reason,
)
def test_every_figure_is_shown_by_a_worked_case(case: Refused) -> None:
    check_refused(case)
