"""Seals and signatures: another library agrees with ours, and nothing that is spoilt gets in."""

import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

import gmalg
import gmssl_pyx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.kit import clock
from services.payments.channels.cmb.envelope import AnswerUnreadable, Envelope, Keys, canonical
from services.payments.channels.cmb.sm2 import Signer, Verifier, public_key_of
from tests.payments.cmb.bank import (
    BANK_PUBLIC,
    KEYS,
    OUR_PRIVATE,
    OUR_PUBLIC,
    UID,
    USER,
    Json,
    answer_to,
    seal,
    signed,
    unseal,
)

# The example of GB/T 32918.5, appendix A.
PRIVATE: Final = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
PUBLIC: Final = (
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
ENVELOPE: Final = Envelope(KEYS)
REQUEST: Final[Json] = {"request": {"head": {"funcode": "DCTRSINF", "userid": UID, "reqid": "7"}}}
BODY: Final[Json] = {"dctrsinfz1": [{"rpynam": "欧阳·娜娜𠮷"}]}
GOOD: Final = signed(answer_to(REQUEST, BODY))


def opened(text: bytes) -> object:
    return ENVELOPE.open("DCTRSINF", "7", seal(text)).body


def test_the_public_key_follows_from_the_private_one() -> None:
    assert public_key_of(bytes.fromhex(PRIVATE)).hex() == PUBLIC
    for private in (1, 2, 3, ORDER // 2, ORDER - 2):
        key = private.to_bytes(32, "big")
        assert gmalg.SM2().generate_pk(key) == b"\4" + public_key_of(key)
    for _ in range(20):
        public, key = gmssl_pyx.sm2_key_generate()
        assert public_key_of(key) == public


@pytest.mark.parametrize("number", [0, ORDER - 1, ORDER, 2**256 - 1])
def test_a_number_that_is_no_private_key_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="not a private key"):
        public_key_of(number.to_bytes(32, "big"))


def test_a_key_of_another_length_is_refused() -> None:
    for spoilt in (
        KEYS._replace(private_key=KEYS.private_key[1:]),
        KEYS._replace(private_key=KEYS.private_key + b"\0"),
        KEYS._replace(sm4_key=b"short"),
    ):
        with pytest.raises(ValueError, match=r"private key|key size"):
            Envelope(spoilt)
    with pytest.raises(gmssl_pyx.InvalidValueError):
        Envelope(KEYS._replace(bank_public_key=bytes(64)))


def test_keys_do_not_show_themselves() -> None:
    assert repr(KEYS) == f"{KEYS}" == f"Keys({UID})"


# The other library is slow.
@settings(max_examples=25)
@given(st.binary(max_size=200))
def test_another_library_believes_our_signature_and_we_believe_its(text: bytes) -> None:
    ours = Signer(OUR_PRIVATE, USER).sign(text)
    other = gmalg.SM2(OUR_PRIVATE, USER, b"\4" + OUR_PUBLIC)
    assert other.verify(text, ours[:32], ours[32:])
    theirs = b"".join(half.rjust(32, b"\0") for half in other.sign(text))
    verifier = Verifier(OUR_PUBLIC, USER)
    assert verifier.is_signed(text, theirs)
    assert not verifier.is_signed(text + b"\0", theirs)
    assert not Verifier(OUR_PUBLIC, b"U003851200000001").is_signed(text, theirs)
    assert not Verifier(BANK_PUBLIC, USER).is_signed(text, theirs)


def test_both_halves_of_a_signature_keep_their_width_whatever_they_begin_with() -> None:
    signer, verifier = Signer(OUR_PRIVATE, USER), Verifier(OUR_PUBLIC, USER)
    short: set[str] = set()
    for number in range(10_000):
        text = str(number).encode()
        signature = signer.sign(text)
        assert len(signature) == 64
        short |= {half for half, at in (("r", 0), ("s", 32)) if not signature[at]}
        if not signature[0] or not signature[32]:
            assert verifier.is_signed(text, signature)
        if short == {"r", "s"}:
            return
    pytest.fail("one of 256 begins with a zero")


def test_a_signature_of_another_length_is_none() -> None:
    verifier, signature = Verifier(OUR_PUBLIC, USER), Signer(OUR_PRIVATE, USER).sign(b"text")
    for spoilt in (
        b"",
        signature[:63],
        signature + b"\0",
        b"\0" + signature,
        signature[:32] + b"\0" + signature[32:],
        bytes(64),
    ):
        assert not verifier.is_signed(b"text", spoilt)


def test_a_call_is_written_in_the_one_form_that_both_sides_sign() -> None:
    with clock.set_to(datetime(2026, 11, 22, 16, 0, 1, tzinfo=UTC)):
        form = ENVELOPE.seal("BB6BPDQY", "01ab", {"b": [{"名": "张·三"}], "a": []})
    fields = parse_qs(form.decode(), strict_parsing=True)
    assert {name: fields[name] for name in ("UID", "ALG", "FUNCODE")} == {
        "UID": [UID],
        "ALG": ["SM"],
        "FUNCODE": ["BB6BPDQY"],
    }
    text = unseal(fields["DATA"][0]).decode()
    found = re.search(r'"sigdat":"([^"]*)"', text)
    assert found
    unsigned = text.replace(found[1], "__signature_sigdat__")
    assert unsigned == (
        '{"request":{"body":{"a":[],"b":[{"名":"张·三"}]},'
        f'"head":{{"funcode":"BB6BPDQY","reqid":"01ab","userid":"{UID}"}}}},'
        '"signature":{"sigdat":"__signature_sigdat__","sigtim":"20261123000001"}}'
    )
    signature = b64decode(found[1], validate=True)
    judge = gmalg.SM2(uid=USER, pk=b"\4" + OUR_PUBLIC)
    assert judge.verify(unsigned.encode(), signature[:32], signature[32:])


@pytest.mark.parametrize(
    ("uid", "user"),
    [("N1", b"N100000000000000"), ("N0123456789", b"N012345678900000"), ("N" * 20, b"N" * 16)],
)
def test_key_names_are_filled_up_or_cut_to_sixteen(uid: str, user: bytes) -> None:
    form = parse_qs(Envelope(KEYS._replace(uid=uid)).seal("X", "1", {}).decode())
    data = b64decode(form["DATA"][0])
    assert b'"request"' in gmssl_pyx.sm4_cbc_padding_decrypt(KEYS.sm4_key, user, data)


def test_what_the_bank_has_signed_is_read() -> None:
    assert opened(GOOD) == BODY


def test_keys_in_another_order_are_the_same_answer() -> None:
    message = json.loads(GOOD)
    turned = {name: message[name] for name in reversed(message)}
    assert opened(json.dumps(turned, indent=1).encode()) == BODY


def test_no_byte_of_an_answer_can_be_changed() -> None:
    signature = json.loads(GOOD)["signature"]["sigdat"]
    start = GOOD.index(signature.encode())
    ours = {*range(start, start + len(signature))}
    for place in set(range(len(GOOD))) - ours:
        for bit in (0x01, 0x20):
            spoilt = bytearray(GOOD)
            spoilt[place] ^= bit
            with pytest.raises(AnswerUnreadable):
                opened(bytes(spoilt))
    halves = b64decode(signature)
    for place in range(len(halves)):
        changed = bytearray(halves)
        changed[place] ^= 0x01
        with pytest.raises(AnswerUnreadable):
            opened(GOOD.replace(signature.encode(), b64encode(changed)))


def test_no_byte_of_a_sealed_answer_can_be_changed() -> None:
    sealed = b64decode(seal(GOOD))
    for place in range(len(sealed)):
        spoilt = bytearray(sealed)
        spoilt[place] ^= 0x01
        with pytest.raises(AnswerUnreadable):
            ENVELOPE.open("DCTRSINF", "7", b64encode(spoilt))


def test_an_answer_cut_short_anywhere_is_none() -> None:
    sealed = seal(GOOD)
    for length in range(len(sealed)):
        with pytest.raises(AnswerUnreadable):
            ENVELOPE.open("DCTRSINF", "7", sealed[:length])


def test_another_hand_or_another_key_is_not_the_bank() -> None:
    forged = signed(answer_to(REQUEST, BODY), OUR_PRIVATE, OUR_PUBLIC)
    with pytest.raises(AnswerUnreadable):
        opened(forged)
    stranger = Envelope(Keys(UID, bytes(16), OUR_PRIVATE, BANK_PUBLIC))
    with pytest.raises(AnswerUnreadable):
        stranger.open("DCTRSINF", "7", seal(GOOD))


@pytest.mark.parametrize(("funcode", "reqid"), [("DCTRSINF", "8"), ("BB6BPDQY", "7")])
def test_the_answer_to_another_question_is_not_taken_for_this_one(funcode: str, reqid: str) -> None:
    with pytest.raises(AnswerUnreadable):
        ENVELOPE.open(funcode, reqid, seal(GOOD))


def test_the_answer_to_another_customer_is_not_ours() -> None:
    head = {**REQUEST["request"]["head"], "userid": "U0038513"}
    with pytest.raises(AnswerUnreadable):
        opened(signed(answer_to({"request": {"head": head}}, BODY)))


@given(st.binary(min_size=1, max_size=300))
def test_noise_is_no_answer(noise: bytes) -> None:
    for content in (noise, b64encode(noise), seal(noise)):
        with pytest.raises(AnswerUnreadable):
            ENVELOPE.open("DCTRSINF", "7", content)


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"response":' + b"9" * 100_000 + b"}",
        b'{"response":{"head":{}},"signature":{}}',
        GOOD.replace(b'"sigdat":"', b'"sigdat":1,"x":"'),
        GOOD.replace(b'"response"', b'"answer"'),
        GOOD.replace("娜".encode(), b"\\ud800"),
        GOOD.replace(b'"resultmsg":""', b'"resultmsg":NaN'),
        GOOD.replace(b'"signature":', b'"signature":7,"x":'),
        GOOD.decode().encode("utf-16"),
        GOOD.decode().encode("gb18030"),
        b"\xef\xbb\xbf" + GOOD,
    ],
)
def test_what_is_not_the_agreed_form_is_no_answer(text: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        opened(text)


@pytest.mark.parametrize("text", [b"ErrMsg", b"ErrMsg:system busy", b"CDCServer: 500", b"<html>"])
def test_the_front_ends_own_words_are_no_answer(text: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        ENVELOPE.open("DCTRSINF", "7", text)


def test_an_error_holds_nothing_of_what_could_not_be_read() -> None:
    with pytest.raises(AnswerUnreadable) as caught:
        opened("{欧阳".encode())
    assert caught.value.args == ()
    assert caught.value.__suppress_context__


def test_a_message_is_signed_with_sorted_keys_and_no_blanks() -> None:
    assert canonical({"b": 1, "a": ["名", 2]}) == '{"a":["名",2],"b":1}'.encode()
