"""Payouts as they are made and as they are paid, each with its entry of the ledger.

A set is written by one statement: the entries follow from the rows that were really written, and
what is the same for all of them is sent once.
"""

from collections.abc import Sequence
from datetime import date, datetime

from services.common.kit.db import Unit
from services.payments.model.payouts import Paid, Payout
from services.payments.rules.postings import GRANTED, PAID
from services.payments.store.attempts import SUMS


async def make(
    unit: Unit, payouts: Sequence[Payout], fund_ids: Sequence[str], day: date, at: datetime
) -> None:
    """Write new payouts, each with the fund that pays it, and book their grants."""
    await unit.execute(
        """
        with told as materialized (
            select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::int[],
                                 $6::bigint[], $7::bigint[], $8::text[], $9::text[])
                as u(payout_id, member_id, scheme_id, claim_id, period, grant_fen, amount_fen,
                     state, fund_id)),
        made as (
            insert into payout (payout_id, member_id, scheme_id, claim_id, period, grant_fen,
                amount_fen, state, version, attempt_no, payee_version, created_at, changed_at)
            select payout_id, member_id, scheme_id, claim_id, period, grant_fen, amount_fen, state,
                1, 0, 0, $10, $10
            from told)
        insert into ledger (source_id, leg, fund_id, scheme_id, debit, credit, amount_fen, day,
                            booked_at)
        select payout_id, 'granted', fund_id, scheme_id,
            case when grant_fen > 0 then $11 else $12 end,
            case when grant_fen > 0 then $12 else $11 end, abs(grant_fen), $13, $10
        from told where grant_fen <> 0
        """,
        [payout.payout_id for payout in payouts],
        [payout.member_id for payout in payouts],
        [payout.scheme_id for payout in payouts],
        [payout.claim_id for payout in payouts],
        [payout.period for payout in payouts],
        [payout.grant_fen for payout in payouts],
        [payout.amount_fen for payout in payouts],
        [payout.state for payout in payouts],
        fund_ids,
        at,
        *GRANTED,
        day,
    )


async def pay(unit: Unit, fund_id: str, paid: Sequence[Paid], day: date, at: datetime) -> None:
    """Decide transfers as booked, all on their way until now: so their payouts are paid.

    What was on its way of the balances, which the caller has locked, is paid.
    """
    # A batch is mostly booked in a day, and hardly any payout is tried twice.
    alike: dict[tuple[date, int], list[Paid]] = {}
    for line in paid:
        alike.setdefault((line.paid_on, line.attempt.attempt_no), []).append(line)
    for (paid_on, attempt_no), lines in alike.items():
        decided = await unit.fetchval(
            f"""
            with booked as (
                update payout p set state = 'paid', version = p.version + 1,
                    bank_serial = u.bank_serial, paid_on = $4, changed_at = $5
                from unnest($1::uuid[], $2::text[]) as u(payout_id, bank_serial)
                where p.payout_id = u.payout_id and p.attempt_no = $3 and p.state = 'batched'
                returning p.payout_id, p.member_id, p.scheme_id, p.amount_fen),
            entries as (
                insert into ledger (source_id, leg, fund_id, scheme_id, debit, credit, amount_fen,
                                    day, booked_at)
                select payout_id, 'paid.' || $3, $6, scheme_id, $7, $8, amount_fen, $9, $5
                from booked),
            balances as (
                update balance b
                set paid_fen = b.paid_fen + m.fen, in_flight_fen = b.in_flight_fen - m.fen
                {SUMS.format("booked")} returning m.payouts)
            select sum(payouts) from balances
            """,  # noqa: S608 - constants
            [line.attempt.payout.payout_id for line in lines],
            [line.bank_serial for line in lines],
            attempt_no,
            paid_on,
            at,
            fund_id,
            *PAID,
            day,
        )
        assert decided == len(lines), "a transfer is decided once"
