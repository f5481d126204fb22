"""The doors: who may ask what, and what is shown."""

from collections.abc import AsyncGenerator, Callable
from uuid import UUID

import httpx
import pytest

from services.common.ids import new_id
from services.common.kit import auth
from services.common.kit.auth import Caller
from tests.notify.conftest import NotifyDesk

GATEWAY = auth.service("gateway")


@pytest.fixture
async def client(notify: NotifyDesk) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(notify.app)
    bearer = {"authorization": f"Bearer {auth.internal_token(notify.settings)}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://notify", headers=bearer
    ) as opened:
        yield opened


def called_by(caller: Caller) -> dict[str, str]:
    return {"x-caller": caller.header()}


async def test_a_member_reads_their_own_texts_newest_first(
    notify: NotifyDesk, client: httpx.AsyncClient
) -> None:
    zhang = notify.person("张")
    first, second = zhang.refused("ACCOUNT_CLOSED"), zhang.paid()
    await notify.hear(*zhang.introduction(), first)
    await notify.hear(second)
    await notify.send_due()
    mine = {"member_id": str(zhang.member_id), "limit": "1"}
    headers = called_by(auth.member(zhang.member_id))
    answer = (await client.get("/messages", params=mine, headers=headers)).json()
    [newest] = answer["messages"]
    assert newest["text"].startswith("【职工互助】张*您好,您的职工互助金1234.56元已于7月12日")
    assert (newest["status"], newest["template"]) == ("sent", "payout_paid")
    assert newest["source_id"] == str(second.payout_id)
    assert newest["sent_at"] is not None
    mine["cursor"] = answer["next_cursor"]
    answer = (await client.get("/messages", params=mine, headers=headers)).json()
    [older] = answer["messages"]
    assert older["source_id"] == str(first.payout_id)
    assert answer["next_cursor"] is None


async def test_what_cannot_be_read_yet_is_shown_without_words(
    notify: NotifyDesk, client: httpx.AsyncClient
) -> None:
    person = notify.person()
    await notify.hear(person.paid())
    answer = await client.get(
        "/messages",
        params={"member_id": str(person.member_id)},
        headers=called_by(auth.member(person.member_id)),
    )
    [message] = answer.json()["messages"]
    assert (message["text"], message["status"]) == (None, "awaiting_contact")


def _others() -> list[Caller]:
    return [
        auth.member(new_id()),
        auth.staff(new_id(), "filing_officer", "U-9999"),
        auth.hospital("H1"),
        GATEWAY,
    ]


@pytest.mark.parametrize("caller", _others(), ids=lambda caller: caller.kind)
async def test_nobody_reads_the_texts_of_others(
    notify: NotifyDesk, client: httpx.AsyncClient, caller: Caller
) -> None:
    person = notify.person()
    await notify.hear(*person.introduction(), person.paid())
    answer = await client.get(
        "/messages", params={"member_id": str(person.member_id)}, headers=called_by(caller)
    )
    assert answer.status_code in (403, 404)


async def test_staff_read_the_texts_of_their_unit_but_no_code_that_mends_a_card(
    notify: NotifyDesk, client: httpx.AsyncClient
) -> None:
    person = notify.person()
    await notify.hear(*person.introduction(), person.refused())
    asked = {"member_id": str(person.member_id)}
    for unit in (person.unit_code, "*"):
        staff = auth.staff(new_id(), "filing_officer", unit)
        answer = await client.get("/messages", params=asked, headers=called_by(staff))
        [message] = answer.json()["messages"]
        assert "更正码**********," in message["text"]
    headers = called_by(auth.member(person.member_id))
    answer = await client.get("/messages", params=asked, headers=headers)
    [message] = answer.json()["messages"]
    assert notify.code_in(message["text"])


@pytest.mark.parametrize("cursor", ["x", "eA==", "", "é"])
async def test_a_cursor_that_was_not_given_out_is_refused(
    client: httpx.AsyncClient, cursor: str
) -> None:
    member_id: UUID = new_id()
    answer = await client.get(
        "/messages",
        params={"member_id": str(member_id), "cursor": cursor},
        headers=called_by(auth.member(member_id)),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_CURSOR")


async def test_the_gateway_asks_for_a_code_and_is_told_when_there_were_too_many(
    notify: NotifyDesk, client: httpx.AsyncClient, fresh_phone: Callable[[], str]
) -> None:
    phone = fresh_phone()
    asked = {"phone": phone, "code": "135790", "minutes": 5}
    answer = await client.post("/codes", json=asked, headers=called_by(GATEWAY))
    assert (answer.status_code, answer.content) == (202, b"")
    answer = await client.post("/codes", json=asked, headers=called_by(GATEWAY))
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_CODES")
    assert int(answer.headers["retry-after"]) > 0
    assert len(notify.texts(phone)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "1380000000"},
        {"phone": "01065231234"},
        {"code": "12"},
        {"code": "http://a.cn"},
        {"minutes": 0},
        {"minutes": 61},
        {"sign": "别人"},
    ],
)
async def test_a_wrong_wish_for_a_code_is_refused_without_repeating_it(
    client: httpx.AsyncClient, wrong: dict[str, object]
) -> None:
    asked = {"phone": "13800000000", "code": "135790", "minutes": 5} | wrong
    answer = await client.post("/codes", json=asked, headers=called_by(GATEWAY))
    assert answer.status_code == 422
    assert "135790" not in answer.text
    assert "13800000000" not in answer.text


async def test_only_the_gateway_asks_for_codes(client: httpx.AsyncClient) -> None:
    asked = {"phone": "13800000000", "code": "135790", "minutes": 5}
    answer = await client.post("/codes", json=asked, headers=called_by(auth.member(new_id())))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/messages"), ("GET", "/books"), ("POST", "/codes")]
)
async def test_only_our_own_processes_come_in(notify: NotifyDesk, method: str, path: str) -> None:
    transport = httpx.ASGITransport(notify.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notify") as stranger:
        assert (await stranger.request(method, path)).status_code == 401


async def test_the_books_add_up(notify: NotifyDesk, client: httpx.AsyncClient) -> None:
    people = [notify.person() for _ in range(3)]
    await notify.hear(*(event for person in people[:2] for event in person.introduction()))
    await notify.hear(*(person.paid() for person in people))
    await notify.send_due()
    books = (await client.get("/books", headers=called_by(GATEWAY))).json()
    assert books == {
        "messages_by_state": {"sent": 2, "awaiting_contact": 1},
        "sent": 2,
        "texts_ready": 0,
        "texts_waiting": 1,
        "dispatches_open": 0,
        "login_codes": 0,
        "dead_letters": 0,
        "events_pending": 2,
    }
