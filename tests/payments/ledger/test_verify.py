"""Whatever is changed in the ledger behind its back is found, and the first of it is named."""

import asyncio
import subprocess
import sys
from datetime import timedelta

import pytest

from services.common.kit.clock import SetClock
from services.payments.__main__ import VERIFY, verify_ledger
from services.payments.usecases.days import close_days
from services.payments.usecases.desk import Desk
from services.payments.usecases.verify import verify
from tests.payments.ledger.booking import book, contributed, paid, reserved, returned
from tests.payments.ledger.conftest import AsSuperuser

ONE_DAY = timedelta(days=1)
# The last entry of the first day.
ONE = "entry_no = (select max(entry_no) from ledger where day = '2026-11-03')"


@pytest.fixture
async def three_days(desk: Desk, hands: SetClock) -> Desk:
    """Give a desk with two closed days behind it and entries in an open one."""
    for _ in range(2):
        await book(desk, contributed(500_00), reserved(90_00), paid(40_00), *returned(10_00))
        hands.advance(ONE_DAY)
    await close_days(desk)
    await book(desk, contributed(3_00), paid(1_00))
    return desk


async def test_books_that_nobody_touched_agree(three_days: Desk) -> None:
    assert await verify(three_days.database) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update ledger set amount_fen = amount_fen # 1 where ONE", "2026-11-03: the sum"),
        ("update ledger set leg = 'y' where ONE", "2026-11-03: the root"),
        ("update ledger set source_id = gen_random_uuid() where ONE", "2026-11-03: the root"),
        ("update ledger set scheme_id = 'ct.aid' where ONE", "2026-11-03: the sum"),
        ("update ledger set fund_id = 'other' where ONE", "2026-11-03: the sum"),
        ("update ledger set credit = 'fund' where ONE", "2026-11-03: the sum"),
        (
            "update ledger set booked_at = booked_at + interval '1 microsecond' where ONE",
            "2026-11-03: the root",
        ),
        ("update ledger set day = '2026-11-04' where ONE", "2026-11-03: it had 6"),
        ("update ledger set day = '2026-11-05' where ONE", "2026-11-03: it had 6"),
        ("update ledger set day = '2020-01-01' where ONE", "2026-11-02: 1 entries lie before"),
        ("delete from ledger where ONE", "2026-11-03: it had 6 entries"),
        (
            (
                "insert into ledger (source_id, leg, fund_id, scheme_id, debit, credit, amount_fen,"
                " day, booked_at) select source_id, 'again', fund_id, scheme_id, debit, credit,"
                " amount_fen, day, booked_at from ledger where ONE"
            ),
            "2026-11-03: it had 6 entries",
        ),
    ],
)
async def test_a_changed_entry_of_a_closed_day_is_found(
    three_days: Desk, as_superuser: AsSuperuser, change: str, said: str
) -> None:
    await as_superuser(change.replace("ONE", ONE))
    assert (await verify(three_days.database) or "").startswith(said)


@pytest.mark.parametrize("entry_no", [-(2**63), 2**63 - 1, 2**40, -1])
async def test_an_entry_with_a_strange_number_is_found(
    three_days: Desk, as_superuser: AsSuperuser, entry_no: int
) -> None:
    await as_superuser(
        "alter table ledger alter column entry_no drop identity",
        "update ledger set entry_no = NUMBER where ONE".replace("NUMBER", str(entry_no)).replace(
            "ONE", ONE
        ),
    )
    assert (await verify(three_days.database) or "").startswith("2026-11-03: the root")


async def test_two_entries_that_change_places_are_found(
    three_days: Desk, as_superuser: AsSuperuser
) -> None:
    await as_superuser(
        "alter table ledger alter column entry_no drop identity",
        "update ledger set entry_no = 9 - entry_no where entry_no in (4, 5)",
    )
    assert (await verify(three_days.database) or "").startswith("2026-11-03: the root")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            (
                "update ledger_day_sum set debit_fen = debit_fen + 1 where day = '2026-11-04'"
                " and account = 'bank' and contra = 'returned'"
            ),
            (
                "2026-11-04: the sum of its entries of union bj.mutual bank/returned differs:"
                " 1 entries, debit 10.00, credit 0.00"
            ),
        ),
        (
            "delete from ledger_day_sum where day = '2026-11-04' and account = 'bank'",
            "2026-11-04: the sum of its entries of union bj.mutual bank/member_contributions",
        ),
        (
            "update ledger_root set entries = entries + 1 where day = '2026-11-04'",
            "2026-11-04: it had 6 entries when it was closed, and has 5",
        ),
        (
            (
                "update ledger_root set root = decode(repeat('00', 32), 'hex')"
                " where day = '2026-11-03'"
            ),
            "2026-11-03: the root is 0000",
        ),
        ("delete from ledger_root where day = '2026-11-03'", "2026-11-03: the day has no root"),
        (
            "update fund set bank_fen = bank_fen + 1",
            "fund union: bank is kept as 10000000942.01, its entries give 10000000942.00",
        ),
        (
            "update fund set in_transit_fen = in_transit_fen + 1",
            "fund union: payouts_in_transit is kept as -99.01, its entries give -99.00",
        ),
        (
            (
                "update ledger set amount_fen = amount_fen + 1 where day = '2026-11-05'"
                " and debit = 'bank'"
            ),
            "fund union: bank is kept as",
        ),
    ],
)
async def test_whatever_else_is_kept_is_held_against_the_entries(
    three_days: Desk, as_superuser: AsSuperuser, change: str, said: str
) -> None:
    await as_superuser(change.replace("ONE", ONE))
    assert (await verify(three_days.database) or "").startswith(said)


async def test_the_command_says_what_differs_and_fails(
    three_days: Desk,
    as_superuser: AsSuperuser,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PAYMENTS_DATABASE_URL", three_days.settings.database_url)
    monkeypatch.setenv("KEYS_DIR", str(three_days.settings.keys_dir))
    assert await asyncio.to_thread(verify_ledger) == 0
    assert capsys.readouterr().out == "the ledger agrees with all that was kept\n"
    await as_superuser("update ledger set leg = 'y' where ONE".replace("ONE", ONE))
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.payments", VERIFY), stdout=subprocess.PIPE
    )
    said, _ = await command.communicate()
    assert command.returncode == 1
    assert said.startswith(b"2026-11-03: the root is ")
