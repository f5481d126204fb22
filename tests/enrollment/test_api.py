"""The doors: who may ask what, and what is answered."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from services.common.contracts.enrollment import OfficersChanged, PayeeChanged
from services.common.ids import new_id
from services.common.kit import auth
from tests.enrollment.conftest import ADMIN, GATEWAY, OFFICER, EnrollmentDesk
from tests.enrollment.people import csv_of, worker, workers

OTHER_OFFICER = auth.staff(new_id(), "filing_officer", "unit-02")
OWN_OFFICER = auth.staff(new_id(), "filing_officer", "unit-01")
CARD = {"card_number": "6217000000000009999"}


async def test_a_unit_is_made_then_stated_again(enrollment: EnrollmentDesk) -> None:
    officers = [{"name": "赵主席", "phone": "13888888888"}]
    made = await enrollment.make_unit(officers=officers)
    again = await enrollment.make_unit(staff_count=501)
    assert (made.status_code, again.status_code) == (201, 200)
    shown = await enrollment.ask("GET", "/units/unit-01", OWN_OFFICER)
    assert shown.json() == {
        "code": "unit-01",
        "name": "第一机床厂工会",
        "staff_count": 501,
        "officers": [{"name": "赵*", "phone": "138****8888"}],
    }


async def test_officers_are_told_sealed_and_only_when_they_change(
    enrollment: EnrollmentDesk,
) -> None:
    officers = [{"name": "赵主席", "phone": "13888888888"}]
    await enrollment.make_unit()
    await enrollment.make_unit(officers=officers)
    await enrollment.make_unit(officers=officers)
    await enrollment.make_unit()
    await enrollment.make_unit(officers=[])
    events = await enrollment.events()
    told = [e for e in events if isinstance(e, OfficersChanged)]
    assert [e.version for e in told] == [1, 2]
    assert [enrollment.opened("notify", "officers", e, b"", e.officers) for e in told] == [
        officers,
        [],
    ]


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"staff_count": -1}, "INVALID_REQUEST"),
        ({"name": ""}, "INVALID_REQUEST"),
        ({"surplus": 1}, "INVALID_REQUEST"),
        ({"officers": [{"name": "赵主席", "phone": "110"}]}, "BAD_PHONE"),
    ],
)
async def test_a_unit_stated_wrongly_is_refused(
    enrollment: EnrollmentDesk, stated: dict[str, Any], code: str
) -> None:
    answer = await enrollment.make_unit(**stated)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_roster_for_an_unknown_unit_is_refused_and_leaves_no_file(
    enrollment: EnrollmentDesk,
) -> None:
    answer = await enrollment.post_roster(workers(1), unit="unit-99")
    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_UNIT")
    assert list(enrollment.settings.rosters_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("starts", "code"), [("2012-5-1", "BAD_DATE"), ("", "MISSING_FIELD"), ("soon", "BAD_DATE")]
)
async def test_a_roster_needs_the_day_from_which_it_counts(
    enrollment: EnrollmentDesk, starts: str, code: str
) -> None:
    await enrollment.make_unit()
    answer = await enrollment.post_roster(workers(1), starts=starts)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_roster_is_running_until_its_events_have_left(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    posted = await enrollment.post_roster([*workers(10), worker(11).but(phone="1")])
    path = f"/rosters/{posted.json()['roster_id']}"
    assert (await enrollment.ask("GET", path)).json()["status"] == "queued"
    await enrollment.work_off()
    # The last chunk tells nothing; the one before it is what must have left.
    assert (await enrollment.ask("GET", path)).json()["status"] == "running"
    again = await enrollment.post_roster(workers(10))
    await enrollment.work_off()
    same = f"/rosters/{again.json()['roster_id']}"
    assert (await enrollment.ask("GET", same)).json()["status"] == "running"
    await enrollment.publish_all()
    assert (await enrollment.ask("GET", path)).json()["status"] == "done"
    assert (await enrollment.ask("GET", same)).json()["status"] == "done"


async def test_another_units_officer_is_told_that_there_is_nothing(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    posted = await enrollment.post_roster(csv_of([worker(1)]), caller=OWN_OFFICER)
    await enrollment.work_off()
    member = f"/members/{await enrollment.member_id(worker(1))}"
    roster = f"/rosters/{posted.json()['roster_id']}"
    identity = {"id_number": worker(1).id_number}
    for method, path, content in (
        ("GET", "/units/unit-01", None),
        ("GET", roster, None),
        ("GET", member, None),
        ("GET", f"{member}/coverages", None),
        ("PUT", f"{member}/payee", CARD),
        ("POST", "/members/search", identity),
    ):
        answers = [
            (await enrollment.ask(method, path, caller, json=content)).status_code
            for caller in (OTHER_OFFICER, OWN_OFFICER)
        ]
        assert answers == [404, 200], path
    foreign = await enrollment.post_roster(workers(1), caller=OTHER_OFFICER)
    assert foreign.status_code == 404


async def test_a_corrected_card_raises_its_version_once(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    await enrollment.upload([worker(1)])
    told = len(await enrollment.events())
    member_id = await enrollment.member_id(worker(1))
    for _ in range(3):
        answer = await enrollment.ask("PUT", f"/members/{member_id}/payee", json=CARD)
        assert answer.json() == {
            "member_id": str(member_id),
            "payee_version": 2,
            "card_tail": "9999",
        }
    [event] = await enrollment.events(after=told)
    assert isinstance(event, PayeeChanged)
    salt = await enrollment.value("select salt from members where member_id = $1", member_id)
    opened = enrollment.opened("payments", "payee", event, salt, event.payee)
    assert opened == {"name": worker(1).name, "card": CARD["card_number"], "bank": ""}


async def test_a_correction_takes_the_place_of_the_version_it_names_and_of_no_later_one(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    await enrollment.upload([worker(1)])
    path = f"/members/{await enrollment.member_id(worker(1))}/payee"
    other = {"card_number": "6217000000000008888"}

    async def put(card: Mapping[str, str | int]) -> tuple[int, object]:
        answer = await enrollment.ask("PUT", path, json=card)
        return answer.status_code, answer.json().get("payee_version", answer.json().get("code"))

    assert await put(CARD | {"instead_of": 1}) == (200, 2)
    assert await put(CARD | {"instead_of": 1}) == (200, 2)
    assert await put(other | {"instead_of": 1}) == (409, "PAYEE_MOVED")
    assert await put(CARD | {"account_name": "别人", "instead_of": 1}) == (409, "PAYEE_MOVED")
    assert await put(CARD | {"instead_of": 2}) == (200, 2)
    assert await put(other | {"instead_of": 2}) == (200, 3)
    assert await put(CARD | {"instead_of": 1}) == (409, "PAYEE_MOVED")
    assert await put(CARD | {"instead_of": 0}) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("id_number", "right", "wrong"),
    [
        (
            "11010519491231002X",
            ("002X", "002x", "００２Ｘ"),
            ("0020", "0002", "００２ ", " 02X", "    "),
        ),
        ("110101199003070011", ("0011",), ("1100", "011X")),
    ],
)
async def test_the_end_of_an_identity_number_proves_a_member_to_the_gateway(
    enrollment: EnrollmentDesk, id_number: str, right: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    await enrollment.make_unit()
    person = worker(1).but(id_number=id_number, name="欧阳娜娜")
    await enrollment.upload([person])
    path = f"/members/{await enrollment.member_id(person)}/proof"
    for tail in right:
        proved = await enrollment.ask("POST", path, GATEWAY, json={"id_tail": tail})
        shown = proved.json()
        assert (shown["name"], shown["card_tail"], shown["payee_version"]) == ("欧*", "0001", 1)
    for tail in wrong:
        refused = await enrollment.ask("POST", path, GATEWAY, json={"id_tail": tail})
        assert (refused.status_code, refused.json()["code"]) == (404, "ID_TAIL_DIFFERS")


async def test_no_end_of_a_number_is_proved_to_others_nor_of_nobody(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    await enrollment.upload([worker(1)])
    member_id = await enrollment.member_id(worker(1))
    path, tail = f"/members/{member_id}/proof", {"id_tail": worker(1).id_number[-4:]}
    for caller in (auth.member(member_id), OFFICER, ADMIN):
        assert (await enrollment.ask("POST", path, caller, json=tail)).status_code == 403
    unknown = await enrollment.ask("POST", f"/members/{new_id()}/proof", GATEWAY, json=tail)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_MEMBER")
    for bad in ("", "123", "12345"):
        answer = await enrollment.ask("POST", path, GATEWAY, json={"id_tail": bad})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_a_wrong_card_is_refused(enrollment: EnrollmentDesk) -> None:
    answer = await enrollment.ask("PUT", f"/members/{new_id()}/payee", json={"card_number": "abc"})
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_CARD")


async def test_a_member_sees_and_corrects_only_what_is_theirs(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    await enrollment.upload(workers(2))
    ids = [await enrollment.member_id(worker(number)) for number in (1, 2)]
    me = auth.member(ids[0])
    seen = [(await enrollment.ask("GET", f"/members/{i}", me)).status_code for i in ids]
    corrected = [
        (await enrollment.ask("PUT", f"/members/{i}/payee", me, json=CARD)).status_code for i in ids
    ]
    assert (seen, corrected) == ([200, 404], [200, 404])
    search = await enrollment.ask("POST", "/members/search", me, json={"id_number": "x"})
    assert search.status_code == 403


async def test_persons_are_shown_as_masks(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    await enrollment.upload([worker(1).but(name="欧阳娜娜")])
    member_id = await enrollment.member_id(worker(1))
    assert (await enrollment.ask("GET", f"/members/{member_id}")).json() == {
        "member_id": str(member_id),
        "name": "欧*",
        "phone": "139****0001",
        "unit_code": "unit-01",
        "unit_name": "第一机床厂工会",
        "card_tail": "0001",
        "card_bank": "工商银行",
        "payee_version": 1,
    }


async def test_a_login_finds_all_members_of_a_phone(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    phone = worker(1).phone
    await enrollment.upload([worker(1), worker(2).but(phone=phone), worker(3)])
    asked = {"phone": f"+86{phone}"}
    found = await enrollment.ask("POST", "/members/by-phone", GATEWAY, json=asked)
    expected = {await enrollment.member_id(worker(number)) for number in (1, 2)}
    assert {UUID(i) for i in found.json()["member_ids"]} == expected
    refused = await enrollment.ask("POST", "/members/by-phone", OFFICER, json=asked)
    assert refused.status_code == 403


async def test_an_unknown_identity_number_is_not_found_in_any_spelling(
    enrollment: EnrollmentDesk,
) -> None:
    await enrollment.make_unit()
    await enrollment.upload([worker(1).but(id_number="11010519491231002X")])
    asked = [
        (await enrollment.ask("POST", "/members/search", json={"id_number": number})).status_code
        for number in ("11010519491231002x", " 11010519491231002X ", "110101199003070011")
    ]
    assert asked == [200, 200, 404]


async def test_the_books_count_members_covers_and_what_waits(enrollment: EnrollmentDesk) -> None:
    await enrollment.make_unit()
    await enrollment.post_roster(workers(3))
    await enrollment.work_off()
    books = (await enrollment.ask("GET", "/books", ADMIN)).json()
    assert books == {"members": 3, "coverages": 3, "events_pending": 12, "dead_letters": 0}
    await enrollment.publish_all()
    assert (await enrollment.ask("GET", "/books", ADMIN)).json()["events_pending"] == 0


async def test_a_call_without_the_internal_bearer_is_refused(enrollment: EnrollmentDesk) -> None:
    answer = await enrollment.client.get(
        "/books", headers={"authorization": "Bearer x", "x-caller": ADMIN.header()}
    )
    assert answer.status_code == 401
