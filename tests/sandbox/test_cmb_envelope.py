"""The API door's envelope: what is not signed and enciphered by the right keys is not obeyed."""

import re
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from deploy.local.bank_keys import bank_key_env, ensure_bank_keys
from deploy.sandbox import clock
from deploy.sandbox.bank.cmb.door import keys_of
from deploy.sandbox.bank.cmb.envelope import Envelope, Forged, Keys
from deploy.sandbox.bank.cmb.sm2 import side_by_side, sign, verify
from deploy.sandbox.settings import SandboxSettings
from tests.sandbox.cmb_customer import PAYER, SM4_KEY, UID, USER, Customer, Line, Spoil, part
from tests.sandbox.inside import opened

NOON = datetime(2026, 11, 22, 12, tzinfo=clock.CHINA)
QUESTION = {"dctrsinfy1": [{"accnbr": PAYER, "after": "0"}]}
SIGDAT = re.compile(rb'(?<="sigdat":")[^"]+')


@pytest.fixture(scope="module")
def customer() -> Customer:
    return Customer()


@pytest.fixture
async def line(tmp_path: Path, customer: Customer) -> AsyncGenerator[Line]:
    async with opened(tmp_path, **customer.settings) as http:
        yield Line(customer, http)


def flipped(text: bytes, place: int) -> bytes:
    return text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]


FORGERIES: Sequence[Spoil] = (
    lambda text: SIGDAT.sub(lambda found: b64encode(flipped(b64decode(found[0]), 63)), text),
    lambda text: SIGDAT.sub(b"", text),
    lambda text: SIGDAT.sub(b"AAAA", text),
    lambda text: SIGDAT.sub(b"no base64", text),
    lambda text: text.replace(b'"after":"0"', b'"after":"1"'),
    lambda text: text.replace(b'"reqid":"r1"', b'"reqid":"r2"'),
    lambda text: text.replace(b"20261122120000", b"20261122120001"),
)
OTHER_FORMS: Sequence[Spoil] = (
    lambda text: b" " + text,
    lambda text: text.replace(b":", b": ", 1),
    lambda text: text.replace(b'"request"', b'"re\\u0071uest"'),
    lambda text: text.replace(b'"after":"0"', b'"after":"0","after":"0"'),
    lambda text: text.replace(b'"0"', b"NaN"),
    lambda text: text[:-1],
    lambda _: b"[" * 100_000,
    lambda _: b"[]",
    lambda _: b"{}",
    lambda text: text.replace(b"20261122120000", b"20261322120000"),
    lambda text: text.replace(b'"0"', b'"\xff"'),
)
OTHER_CIPHERS: Sequence[Spoil] = (
    lambda cipher: flipped(cipher, len(cipher) - 1),
    lambda cipher: cipher[:-1],
    lambda cipher: cipher[:-16],
    lambda _: b"",
)


async def test_a_call_by_the_right_keys_is_answered_by_the_banks_signature(line: Line) -> None:
    assert await line.ask("DCTRSINF", QUESTION) == ("SUC0000", {"dctrsinfz1": []})


async def test_a_call_by_another_key_is_told_so_and_not_obeyed(line: Line) -> None:
    stranger = Customer(bank_private=line.customer.bank_private)
    answer = await line.send(stranger.form("BB6BTHHL", part("1", 1, 2, 2)))
    assert line.customer.opened(answer.content)["head"]["resultcode"] == "NCB001"
    code, _ = await line.ask("BB6BPDQY", {"bb6bpdqyy1": [{"yurref": "1", "trxseq": "00000001"}]})
    assert code == "NCB004"


def test_a_flip_of_any_byte_of_what_is_signed_is_noticed(customer: Customer) -> None:
    public = bytes.fromhex(customer.settings["cmb_client_public_key"])
    text = b'{"request":{"body":{},"head":{}},"signature":{"sigdat":"x","sigtim":"20261122120000"}}'
    signature = sign(customer.private, USER, text)
    assert verify(public, USER, text, signature)
    for place in range(0, len(text), 5):
        assert not verify(public, USER, flipped(text, place), signature)
    for place in range(0, len(signature), 7):
        assert not verify(public, USER, text, flipped(signature, place))
    assert not verify(public, b"SANDBOX001000001", text, signature)
    assert not verify(public, USER, text, bytes(64))


@pytest.mark.parametrize("spoil", FORGERIES)
def test_a_signature_that_does_not_fit_is_forged(customer: Customer, spoil: Spoil) -> None:
    public = bytes.fromhex(customer.settings["cmb_client_public_key"])
    envelope = Envelope(Keys(SM4_KEY, customer.bank_private, public))
    form = customer.form("DCTRSINF", QUESTION, spoil_signed=spoil)
    with pytest.raises(Forged):
        envelope.open(UID, form["DATA"])


@pytest.mark.parametrize("spoil", OTHER_FORMS)
async def test_json_in_any_other_form_than_the_canonical_is_not_read(
    line: Line, spoil: Spoil
) -> None:
    answer = await line.send(line.customer.form("DCTRSINF", QUESTION, spoil_signed=spoil))
    head = line.customer.opened(answer.content)["head"]
    assert (head["resultcode"], head["reqid"]) == ("NCB002", "")


@pytest.mark.parametrize("spoil", OTHER_CIPHERS)
async def test_what_cannot_be_deciphered_is_told_in_plain_words(line: Line, spoil: Spoil) -> None:
    answer = await line.send(line.customer.form("DCTRSINF", QUESTION, spoil_cipher=spoil))
    assert answer.text.startswith("ErrMsg")


@pytest.mark.parametrize(
    "wrong",
    [
        {"UID": ""},
        {"UID": "总工会"},
        {"ALG": "RSA"},
        {"DATA": "总"},
        {"DATA": ""},
    ],
)
async def test_a_form_that_is_not_one_is_told_in_plain_words(
    line: Line, wrong: dict[str, str]
) -> None:
    answer = await line.send(line.customer.form("DCTRSINF", QUESTION) | wrong)
    assert answer.text.startswith("ErrMsg")
    answer = await line.http.post("/bank/cmb", content=b"\xff\xfe")
    assert answer.text.startswith("ErrMsg")


async def test_a_call_under_another_name_than_the_signed_one_is_not_obeyed(line: Line) -> None:
    form = line.customer.form("DCTRSINF", QUESTION) | {"FUNCODE": "NTDAYSTM"}
    answer = await line.send(form)
    assert line.customer.opened(answer.content)["head"]["resultcode"] == "NCB002"


async def test_a_door_without_keys_is_shut(tmp_path: Path, customer: Customer) -> None:
    async with opened(tmp_path) as http:
        answer = await Line(customer, http).send(customer.form("DCTRSINF", QUESTION))
        assert answer.text.startswith("CDCServer")


def test_short_halves_of_a_signature_are_filled_up() -> None:
    assert side_by_side(b"\1", b"\2" * 32) == bytes(31) + b"\1" + b"\2" * 32
    assert side_by_side(b"\1" * 31, b"") == b"\0" + b"\1" * 31 + bytes(32)


def test_the_keys_are_made_once_for_their_owner_alone_and_fit_each_other(tmp_path: Path) -> None:
    ensure_bank_keys(tmp_path)
    first = {path.name: path.read_text() for path in (tmp_path / "bank").iterdir()}
    ensure_bank_keys(tmp_path)
    assert {path.name: path.read_text() for path in (tmp_path / "bank").iterdir()} == first
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "bank").iterdir()} == {0o600}
    env = bank_key_env(tmp_path)
    assert not any(text.strip() in value for text in first.values() for value in env.values())
    told = {
        name.removeprefix("SANDBOX_").lower(): value
        for name, value in env.items()
        if name.startswith("SANDBOX_")
    }
    keys = keys_of(SandboxSettings.model_validate(told))
    assert keys
    client, bank_public = (
        bytes.fromhex(Path(env[name]).read_text())
        for name in ("PAYMENTS_CMB_PRIVATE_KEY_FILE", "PAYMENTS_CMB_BANK_PUBLIC_KEY_FILE")
    )
    assert verify(keys.client_public, USER, b"ours", sign(client, USER, b"ours"))
    assert verify(bank_public, USER, b"theirs", sign(keys.bank_private, USER, b"theirs"))
    assert len(keys.sm4) == 16
