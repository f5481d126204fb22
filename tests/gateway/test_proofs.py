"""Passwords and one-time codes."""

import base64

import pytest

from deploy.clients.staff import totp as clients_totp
from gateway.proofs import PasswordCost, password_fits, totp, totp_step

CHEAP = PasswordCost(memory_kib=8, iterations=1)
# The key of RFC 6238's appendix B, whose codes have eight digits; ours are their last six.
SECRET = base64.b32encode(b"12345678901234567890").decode()


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    stored = CHEAP.hashed("correct horse")
    assert password_fits("correct horse", stored)
    assert not password_fits("correct horse ", stored)
    assert stored.startswith("$argon2id$")


def test_the_same_password_has_another_hash_each_time() -> None:
    assert CHEAP.hashed("correct horse") != CHEAP.hashed("correct horse")


@pytest.mark.parametrize(
    ("unix_time", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_one_time_codes_are_those_of_rfc_6238(unix_time: int, code: str) -> None:
    assert totp(SECRET, unix_time // 30) == code
    assert clients_totp(SECRET, unix_time) == code


def test_a_code_is_found_one_step_early_or_late_and_no_further() -> None:
    code = totp(SECRET, 1000)
    assert [totp_step(SECRET, code, 30 * step, 1) for step in (998, 999, 1000, 1001, 1002)] == [
        None,
        1000,
        1000,
        1000,
        None,
    ]
