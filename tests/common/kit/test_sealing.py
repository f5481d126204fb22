"""Sealed values: who opens what, and what is told apart."""

import hashlib
import hmac
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.common.kit import clock, keys, sealing
from services.common.kit.sealing import BlindIndex, Mac, Opener, SealBroken, Sealer, Suite

CARD = b"6222020200112233445"
MEMBER = UUID(int=11)
SALT = bytes(range(16))


@pytest.fixture(scope="module")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    keys.ensure_keys(made)
    return made


@pytest.fixture(scope="module")
def sealer(keys_dir: Path) -> Sealer:
    return Sealer.from_dir(keys_dir)


@pytest.fixture(scope="module")
def payments(keys_dir: Path) -> Opener:
    return Opener.from_dir(keys_dir, "payments")


@pytest.mark.parametrize("name", ["AES-256-GCM", "SM4-GCM"])
def test_the_recipient_opens_what_was_sealed_to_it(
    keys_dir: Path, payments: Opener, name: str
) -> None:
    suite = Suite.named(name)
    value = Sealer.from_dir(keys_dir, suite).seal("payments", "card", MEMBER, SALT, CARD)
    assert value[0] == suite
    assert payments.open("card", MEMBER, SALT, value) == CARD


def test_nobody_else_opens_it_not_even_who_sealed_it(keys_dir: Path, sealer: Sealer) -> None:
    value = sealer.seal("payments", "card", MEMBER, SALT, CARD)
    for other in ("enrollment", "notify", "gateway", "claims"):
        with pytest.raises(SealBroken):
            Opener.from_dir(keys_dir, other).open("card", MEMBER, SALT, value)


def test_a_value_moved_to_another_field_or_member_does_not_open(
    sealer: Sealer, payments: Opener
) -> None:
    value = sealer.seal("payments", "card", MEMBER, SALT, CARD)
    with pytest.raises(SealBroken):
        payments.open("name", MEMBER, SALT, value)
    with pytest.raises(SealBroken):
        payments.open("card", new_id(), SALT, value)


def test_without_the_members_salt_nothing_of_the_member_opens(
    sealer: Sealer, payments: Opener
) -> None:
    value = sealer.seal("payments", "card", MEMBER, SALT, CARD)
    for salt in (b"", sealing.new_salt()):
        with pytest.raises(SealBroken):
            payments.open("card", MEMBER, salt, value)


def test_every_changed_byte_and_every_cut_is_noticed(sealer: Sealer, payments: Opener) -> None:
    value = sealer.seal("payments", "card", MEMBER, SALT, CARD)
    for at in range(len(value)):
        changed = bytearray(value)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            payments.open("card", MEMBER, SALT, bytes(changed))
        with pytest.raises(SealBroken):
            payments.open("card", MEMBER, SALT, value[:at])


def test_the_same_value_twice_looks_different(sealer: Sealer) -> None:
    values = {sealer.seal("payments", "card", MEMBER, SALT, CARD) for _ in range(100)}
    assert len(values) == 100
    assert not any(CARD in value for value in values)


def test_a_salt_travels_wrapped(sealer: Sealer, payments: Opener) -> None:
    wrapped = sealer.seal_salt("payments", MEMBER, SALT)
    assert payments.open_salt(MEMBER, wrapped) == SALT
    with pytest.raises(SealBroken):
        payments.open_salt(new_id(), wrapped)


def test_salts_of_many_open_together_whoever_sealed_them(
    keys_dir: Path, sealer: Sealer, payments: Opener
) -> None:
    wrapped: list[tuple[UUID, bytes]] = []
    salts = [sealing.new_salt() for _ in range(4)]
    another = Sealer.from_dir(keys_dir)
    for by, salt in zip((sealer, sealer, another, sealer), salts, strict=True):
        member_id = new_id()
        wrapped.append((member_id, by.seal_salt("payments", member_id, salt)))
    assert payments.open_salts(wrapped) == salts
    with pytest.raises(SealBroken):
        payments.open_salts([*wrapped, (new_id(), wrapped[0][1])])
    with pytest.raises(SealBroken):
        payments.open_salts([*wrapped, (MEMBER, b"")])


def test_a_new_day_brings_a_new_data_key_and_yesterdays_values_still_open(
    keys_dir: Path, payments: Opener
) -> None:
    sealer = Sealer.from_dir(keys_dir)
    with clock.set_to(datetime(2026, 1, 1, tzinfo=UTC)) as hands:
        first, again = (sealer.seal("payments", "card", MEMBER, SALT, CARD) for _ in range(2))
        hands.advance(timedelta(days=1))
        later = sealer.seal("payments", "card", MEMBER, SALT, CARD)
    head = slice(0, sealing.HEAD_BYTES)
    assert first[head] == again[head] != later[head]
    for value in (first, again, later):
        assert payments.open("card", MEMBER, SALT, value) == CARD


def test_an_older_private_key_still_opens_after_a_rotation(tmp_path: Path) -> None:
    keys.ensure_keys(tmp_path)
    value = Sealer.from_dir(tmp_path).seal("notify", "phone", MEMBER, SALT, b"13812345678")
    private = tmp_path / "notify.x25519"
    older = private.read_text()
    private.unlink()
    (tmp_path / "notify.x25519.pub").unlink()
    keys.ensure_keys(tmp_path)
    private.write_text(private.read_text() + older)
    opener = Opener.from_dir(tmp_path, "notify")
    assert opener.open("phone", MEMBER, SALT, value) == b"13812345678"
    newer = Sealer.from_dir(tmp_path).seal("notify", "phone", MEMBER, SALT, b"1")
    assert newer[1:5] != value[1:5]
    assert opener.open("phone", MEMBER, SALT, newer) == b"1"


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_the_copied_hmac_is_hmac(key: bytes, message: bytes) -> None:
    assert Mac(key).of(message) == hmac.new(key, message, hashlib.sha256).digest()


def test_a_blind_index_finds_equal_values_of_one_column(keys_dir: Path) -> None:
    def index(column: str) -> BlindIndex:
        return BlindIndex.from_dir(keys_dir, keys.IDENTITY_INDEX, column)

    found = index("id_number").of("11010519491231002X")
    assert len(found) == 16
    assert found == index("id_number").of("11010519491231002X")
    assert found != index("id_number").of("110105194912310021")
    assert found != index("phone").of("11010519491231002X")


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = keys.ensure_keys(folder)
    assert len(made) == 4 + 2 * len(keys.RECIPIENTS)
    assert sorted(made) == sorted(file.name for file in folder.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    before = {file.name: file.read_text() for file in folder.iterdir()}
    assert keys.ensure_keys(folder) == []
    assert before == {file.name: file.read_text() for file in folder.iterdir()}
