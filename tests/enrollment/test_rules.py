"""What a roster row changes: moves, cards, contacts and the days of cover."""

import io
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.common.identity import CardNumber, PersonName
from services.common.ids import derived_id
from services.enrollment.model import Correction, Member, RosterRow
from services.enrollment.rows import RosterReader
from services.enrollment.rules import Change, enrolled, newcomer, person_facts, surname
from tests.enrollment.people import Worker, csv_of

UNIT = "unit-01"
START = date(2012, 5, 1)
MEMBER = derived_id("member", "one")


def row(worker: Worker) -> RosterRow:
    schemes = {"bj.mutual": 1, "ct.women": 3}
    reader = RosterReader(
        io.BytesIO(csv_of([worker])), "utf-8", schemes=schemes, today=date(2026, 11, 20)
    )
    [found] = reader.next_chunk(1).rows
    return found


def joined(worker: Worker, start: date = START) -> Member:
    return newcomer(
        row(worker), UNIT, start, member_id=MEMBER, identity_index=b"i" * 16, salt=b"s" * 16
    )


def versions(member: Member) -> tuple[int, int, int]:
    return member.version, member.payee_version, member.contact_version


def starts(member: Member) -> date:
    return member.coverages["bj.mutual"].starts_on


def test_a_newcomer_is_told_of_in_every_part() -> None:
    change = Change(None, joined(Worker()))
    assert change.registered
    assert change.payee_changed
    assert change.contact_changed
    assert [c.scheme_id for c in change.coverages] == ["bj.mutual"]


def test_the_same_row_again_gives_the_very_same_member() -> None:
    member = joined(Worker())
    assert enrolled(member, row(Worker()), UNIT, START) is member


def test_cover_begins_on_the_later_of_the_upload_and_the_hiring() -> None:
    assert starts(joined(Worker(hired_on="2020-01-01"))) == date(2020, 1, 1)
    assert starts(joined(Worker(hired_on="2000-01-01"))) == START
    assert starts(joined(Worker(hired_on=""))) == START


@given(st.lists(st.dates(date(2010, 1, 1), date(2030, 1, 1)), min_size=1))
def test_cover_is_carried_back_and_never_shortened(days: list[date]) -> None:
    worker = Worker(hired_on="")
    member = joined(worker, days[0])
    for day in days[1:]:
        before, member = member, enrolled(member, row(worker), UNIT, day)
        carried_back = day < starts(before)
        told = [c.version for c in Change(before, member).coverages]
        assert told == ([before.coverages["bj.mutual"].version + 1] if carried_back else [])
    assert starts(member) == min(days)


def test_other_units_of_a_scheme_are_told_with_a_newer_version() -> None:
    member = joined(Worker(schemes="ct.women:1"))
    after = enrolled(member, row(Worker(schemes="ct.women:2")), UNIT, START)
    assert [(c.units, c.version) for c in Change(member, after).coverages] == [(2, 2)]


def test_a_scheme_left_out_goes_on() -> None:
    member = joined(Worker(schemes="bj.mutual:1;ct.women:1"))
    after = enrolled(member, row(Worker(schemes="bj.mutual:1")), UNIT, START)
    assert after is member


def test_a_member_named_by_another_unit_moves_there() -> None:
    member = joined(Worker())
    moved = enrolled(member, row(Worker()), "unit-02", START)
    assert moved.unit_code == "unit-02"
    assert versions(moved) == (2, 1, 2)


def test_a_new_card_raises_only_the_version_of_the_card() -> None:
    after = enrolled(joined(Worker()), row(Worker(card_number="6217000000000000999")), UNIT, START)
    assert versions(after) == (1, 2, 1)


def test_a_new_phone_raises_only_the_version_of_the_contact() -> None:
    after = enrolled(joined(Worker()), row(Worker(phone="13900000002")), UNIT, START)
    assert versions(after) == (1, 1, 2)


def test_a_new_group_is_told_as_the_member_anew() -> None:
    member = joined(Worker())
    after = enrolled(member, row(Worker(groups="hardship")), UNIT, START)
    assert after.person.groups == ("hardship",)
    assert versions(after) == (member.version + 1, 1, 1)
    assert enrolled(after, row(Worker(groups="hardship")), UNIT, START) is after


def test_what_rules_ask_of_a_member_is_read_from_the_papers() -> None:
    facts = person_facts(joined(Worker(groups="gig:courier")).person)
    number = Worker().id_number
    assert facts.born == date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    assert facts.sex == ("M" if int(number[16]) % 2 else "F")
    assert facts.groups == ("gig:courier",)


def test_a_corrected_card_holds_while_the_roster_repeats_the_wrong_one() -> None:
    correction = Correction(MEMBER, CardNumber("6217000000000000999"))
    member = joined(Worker())
    corrected = member.with_payee(correction.of(member.person.payee))
    assert enrolled(corrected, row(Worker()), UNIT, START) is corrected
    moved = enrolled(corrected, row(Worker(phone="13900000002")), "unit-02", START)
    assert moved.person.payee.card.open() == "6217000000000000999"
    restated = enrolled(moved, row(Worker(card_number="6217000000000000777")), "unit-02", START)
    assert restated.person.payee.card.open() == "6217000000000000777"


def test_the_same_card_again_is_no_correction() -> None:
    member = joined(Worker())
    same = Correction(MEMBER, member.person.payee.card)
    assert member.with_payee(same.of(member.person.payee)) is member


def test_an_account_in_another_name_is_a_correction() -> None:
    member = joined(Worker())
    named = Correction(MEMBER, member.person.payee.card, account_name=PersonName("王方"))
    assert member.with_payee(named.of(member.person.payee)).payee_version == 2


def test_somebody_hired_later_is_covered_later_even_in_an_earlier_upload() -> None:
    member = joined(Worker(hired_on="2020-01-01"))
    earlier = enrolled(member, row(Worker(hired_on="2020-01-01")), UNIT, START - timedelta(days=99))
    assert earlier is member


def test_a_text_addresses_people_by_their_surname() -> None:
    names = {"王芳": "王", "欧阳娜娜": "欧阳", "欧阳": "欧", "Anna Li": "Anna"}
    assert {name: surname(PersonName(name)) for name in names} == names
