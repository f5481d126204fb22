"""A hospital's request is taken when signed as agreed, fresh and new; else it leaves nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.clients.hospital import HospitalAuth
from gateway import store
from gateway.signatures import sealed_key
from services.common.ids import new_id
from services.common.kit import clock
from services.common.kit.sealing import Sealer
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import ORIGIN, House

POST = "/api/v1/hospital/settlements"
CANCEL = "/api/v1/hospital/settlements/S1/cancel"
BODY = b'{"settlements": [{"setl_id": "S1", "medfee_sumamt": 10.10}]}'
RESULTS = {"results": [{"setl_id": "S1", "status": "settled", "benefit": "12.00"}]}
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

Change = Callable[[httpx.Request], None]


@pytest.fixture
def taking(house: House) -> House:
    house.fakes["claims"].says("POST", "/settlements", RESULTS)
    return house


def _request(
    house: House, *, method: str = "POST", path: str = POST, body: bytes = BODY
) -> httpx.Request:
    return house.client().build_request(
        method, path, content=body, headers={"content-type": "application/json"}
    )


def _sign(house: House, request: httpx.Request, created: datetime | None = None) -> httpx.Request:
    told = house.hospital()
    HospitalAuth(told["keyid"], told["secret"]).sign(request, created)
    return request


async def _send(house: House, request: httpx.Request) -> httpx.Response:
    return await house.client().send(request)


async def _assert_refused(house: House, answer: httpx.Response, nonces: int = 0) -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_REFUSED")
    assert await house.count("nonce") == nonces
    assert await house.count("idempotency") == 0


async def test_a_signed_post_reaches_claims_as_it_was_signed(taking: House) -> None:
    answer = await taking.signed().post(
        POST, content=BODY, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()) == (200, RESULTS)
    [call] = taking.fakes["claims"].calls
    assert call.body == BODY
    assert (call.caller.kind, call.caller.id) == ("hospital", taking.hospital()["fixmedins_code"])
    assert "signature" not in call.headers


async def test_get_and_cancel_are_signed_too(house: House) -> None:
    claims = house.fakes["claims"]
    claims.says("GET", "/settlements/S1", RESULTS["results"][0])
    claims.says("POST", "/settlements/S1/cancel", RESULTS["results"][0] | {"status": "reversed"})
    claims.says("POST", "/settlements/check", RESULTS)
    client = house.signed()
    assert (await client.get("/api/v1/hospital/settlements/S1?a=b")).status_code == 200
    assert (await client.post(CANCEL)).json()["status"] == "reversed"
    checked = await client.post("/api/v1/hospital/settlements:check", content=BODY)
    assert checked.json() == RESULTS


def _set(name: str, value: str) -> Change:
    def change(request: httpx.Request) -> None:
        request.headers[name] = value

    return change


def _drop(name: str) -> Change:
    def change(request: httpx.Request) -> None:
        del request.headers[name]

    return change


def _replace(name: str, old: str, new: str) -> Change:
    def change(request: httpx.Request) -> None:
        assert old in request.headers[name], request.headers[name]
        request.headers[name] = request.headers[name].replace(old, new)

    return change


def _to(url: str) -> Change:
    def change(request: httpx.Request) -> None:
        request.url = httpx.URL(url)

    return change


CHANGES: dict[str, Change] = {
    "another path": _to(f"{ORIGIN}{POST}:check"),
    "a query": _to(f"{ORIGIN}{POST}?x=1"),
    "another host": _set("host", "elsewhere.test"),
    "another digest": _set("content-digest", "sha-256=:" + "A" * 43 + "=:"),
    "no digest": _drop("content-digest"),
    "no signature": _drop("signature"),
    "no input": _drop("signature-input"),
    "another signature": _set("signature", "pyhms=:" + "A" * 43 + "=:"),
    "an empty signature": _set("signature", "pyhms=::"),
    "coverage without the digest": _replace("signature-input", ' "content-digest"', ""),
    "coverage without the method": _replace("signature-input", '"@method" ', ""),
    "coverage without the address": _replace("signature-input", '"@target-uri" ', ""),
    "another key": _replace("signature-input", "H11010000001-1", "H11010000002-1"),
    "an unknown key": _replace("signature-input", "H11010000001-1", "H99999999999-1"),
    "another algorithm": _replace("signature-input", "hmac-sha256", "ed25519"),
    "another nonce": _replace("signature-input", 'nonce="', 'nonce="x'),
    "another time": _replace("signature-input", "created=1", "created=2"),
    "another parameter": _replace("signature-input", ";alg=", ";x=1;alg="),
    "no structure": _set("signature-input", ';keyid="H11010000001-1"'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_any_change_after_signing_is_refused(taking: House, change: Change) -> None:
    request = _sign(taking, _request(taking))
    change(request)
    await _assert_refused(taking, await _send(taking, request))
    assert not taking.fakes["claims"].calls


async def test_a_changed_body_is_refused(taking: House) -> None:
    signed = _sign(taking, _request(taking))
    tampered = _request(taking, body=BODY.replace(b"10.10", b"90.10"))
    for name in ("content-digest", "signature", "signature-input"):
        tampered.headers[name] = signed.headers[name]
    await _assert_refused(taking, await _send(taking, tampered))


async def test_a_changed_method_is_refused(taking: House) -> None:
    request = _sign(taking, _request(taking, path=CANCEL, body=b""))
    request.method = "GET"
    request.url = httpx.URL(f"{ORIGIN}/api/v1/hospital/settlements/S1")
    await _assert_refused(taking, await _send(taking, request))


@pytest.mark.parametrize(("age_s", "taken"), [(0, 1), (299, 1), (-299, 1), (301, 0), (-301, 0)])
async def test_created_lies_within_five_minutes(taking: House, age_s: int, taken: int) -> None:
    with clock.set_to(NOON):
        created = NOON - timedelta(seconds=age_s)
        answer = await _send(taking, _sign(taking, _request(taking), created))
    assert answer.status_code == (200 if taken else 401)
    assert await taking.count("nonce") == taken


async def test_a_replay_is_refused_as_long_as_it_would_be_fresh(taking: House) -> None:
    with clock.set_to(NOON) as hands:
        early = NOON + timedelta(seconds=299)
        request = _sign(taking, _request(taking), early)
        assert (await _send(taking, request)).status_code == 200
        hands.advance(timedelta(seconds=590))
        async with taking.database.begin() as unit:
            await store.sweep(unit, timedelta(days=1))
        await _assert_refused(taking, await _send(taking, request), nonces=1)
        hands.advance(timedelta(seconds=60))
        async with taking.database.begin() as unit:
            await store.sweep(unit, timedelta(days=1))
        await _assert_refused(taking, await _send(taking, request), nonces=0)
    assert len(taking.fakes["claims"].calls) == 1


async def test_a_signature_without_a_nonce_is_refused(
    taking: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_bytes: int) -> str:
        return ""

    monkeypatch.setattr("deploy.clients.hospital.secrets.token_urlsafe", nothing)
    await _assert_refused(taking, await _send(taking, _sign(taking, _request(taking))))


async def test_of_replays_that_come_at_once_one_is_taken(taking: House) -> None:
    requests = [_sign(taking, _request(taking)) for _ in range(3)]
    answers = await asyncio.gather(*(_send(taking, one) for one in requests * 4))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [401] * 9
    assert await taking.count("nonce") == 3


async def test_two_keys_of_a_partner_live_side_by_side_until_one_is_revoked(taking: House) -> None:
    told = taking.hospital()
    second = store.PartnerKey("second", new_id(), told["fixmedins_code"], b"")
    sealed = sealed_key(Sealer.from_dir(taking.settings.keys_dir), second, "another secret")
    async with taking.database.begin() as unit:
        await store.put_partner_keys(unit, [sealed])
    fresh = taking.client(auth=HospitalAuth("second", "another secret"))
    assert (await fresh.post(POST, content=BODY)).status_code == 200
    assert (await taking.signed().post(POST, content=BODY)).status_code == 200
    async with taking.database.begin() as unit:
        await unit.execute("update partner_key set revoked_at = now() where keyid = 'second'")
    assert (await fresh.post(POST, content=BODY)).status_code == 401


async def test_a_key_in_place_of_another_is_taken_at_once_and_the_other_no_more(
    taking: House,
) -> None:
    keyid, code = "third", taking.hospital()["fixmedins_code"]
    sealer = Sealer.from_dir(taking.settings.keys_dir)
    before, after = (HospitalAuth(keyid, secret) for secret in ("first secret", "next secret"))

    async def statuses() -> list[int]:
        clients = [taking.client(auth=auth) for auth in (before, after)]
        return [(await client.post(POST, content=BODY)).status_code for client in clients]

    for auth, expected in ((before, [200, 401]), (after, [401, 200])):
        key = sealed_key(sealer, store.PartnerKey(keyid, new_id(), code, b""), auth.secret)
        async with taking.database.begin() as unit:
            await store.put_partner_keys(unit, [key])
        assert await statuses() == expected
    assert await taking.count("nonce") == 2


async def test_a_nonce_is_not_used_up_by_a_key_that_is_valid_no_more(taking: House) -> None:
    told, old = taking.hospital(), new_id()
    async with taking.database.begin() as unit:
        known = await store.partner_key(unit, told["keyid"])
        assert known is not None
        told_twice = [
            store.Nonce(known.keyid, key_id, "once", NOON) for key_id in (old, known.key_id)
        ]
        assert await store.use_nonces(unit, told_twice * 2) == [False, True, False, False]


async def test_secrets_are_sealed_where_they_are_stored(house: House) -> None:
    async with house.database.begin() as unit:
        stored = await unit.fetch("select secret_sealed from partner_key")
    told = {one["secret"].encode() for one in house.credentials["hospitals"]}
    assert not [row for row in stored for secret in told if secret in row["secret_sealed"]]


async def test_behind_a_proxy_the_public_address_is_what_is_signed(make_house: MakeHouse) -> None:
    house = await make_house(public_url="https://api.example.org/")
    house.fakes["claims"].says("POST", "/settlements", RESULTS)
    request = house.client().build_request("POST", f"https://api.example.org{POST}", content=BODY)
    signed = _sign(house, request)
    inner = _request(house)
    for name in ("content-digest", "signature", "signature-input"):
        inner.headers[name] = signed.headers[name]
    assert (await _send(house, inner)).status_code == 200


@given(
    signature_input=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
    signature=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_nothing_that_is_no_signature_gets_further_than_401(
    house: House, signature_input: str, signature: str
) -> None:
    request = _request(house)
    request.headers["signature-input"] = f'a=({signature_input});keyid="H11010000001-1"'
    request.headers["signature"] = signature.encode("latin-1").decode("latin-1")
    assert (await _send(house, request)).status_code == 401
