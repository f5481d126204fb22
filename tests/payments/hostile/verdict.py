"""What must hold: after every step whatever happened, and in the end to the fen."""

import json
from collections import Counter, defaultdict
from datetime import timedelta
from uuid import UUID

from deploy.sandbox.bank.movements import Kind
from services.common.kit import clock
from services.payments.model.payouts import named_by
from services.payments.usecases import reading
from services.payments.usecases.reconciled import reconciled_days
from services.payments.usecases.submit import open_batches
from tests.payments.hostile.bank import OPENING_FEN, Fact
from tests.payments.hostile.world import MORNING, World
from tests.payments.steps import check_books
from tests.told import ROWS, events_in

# Movements that no batch of ours has made.
NEVER_OURS = (Kind.DEPOSIT, Kind.TRANSFER, Kind.FEE)


class Wrong(AssertionError):
    """Something that must hold does not."""


def must(condition: bool, what: str) -> None:  # noqa: FBT001 - it is the one thing said
    if not condition:
        raise Wrong(what)


# One look at everything, in one snapshot.
LOOK = """
select
    (select json_object_agg(account, fen) from (
        select account, sum(fen)::bigint as fen from (
            select debit as account, amount_fen as fen from ledger
            union all select credit, -amount_fen from ledger) as moved
        group by account) as per_account) as ledger,
    (select json_build_array(coalesce(sum(granted_fen), 0)::bigint,
        coalesce(sum(paid_fen), 0)::bigint, coalesce(sum(in_flight_fen), 0)::bigint)
        from balance) as balances,
    (select count(*) from (
        select b.member_id from balance b left join payout p using (member_id, scheme_id)
        group by b.member_id, b.scheme_id
        having b.granted_fen <> sum(p.grant_fen)
            or b.open_fen <> coalesce(sum(p.amount_fen) filter (
                where p.state in ('awaiting_payee', 'ready', 'refused', 'returned')), 0)
            or b.in_flight_fen <> coalesce(sum(p.amount_fen) filter (
                where p.state = 'batched'), 0)
            or b.paid_fen <> coalesce(sum(p.amount_fen) filter (where p.state = 'paid'), 0)
        ) as odd) as balances_odd,
    (select json_object_agg(payout_id, grant_fen) from payout) as grants,
    (select string_agg(said, ' ') from (
        select state || ':' || count(*) as said, 1 as place, state from batch group by state
        union all select state || ':' || count(*), 2, state from payout group by state
        union all select kind || ':' || count(*), 3, kind from bank_exception
            where settled_at is null group by kind
        order by place, state) as counted) as said
"""


async def check_step(world: World) -> str:
    """Hold our books against themselves, and the bank's against what was granted.

    Gives in one line how things stand, with nothing in it that a seed does not give.
    """
    [row] = await world.rows(LOOK)
    ledger: Counter[str] = Counter(json.loads(row["ledger"] or "{}"))
    granted, paid, in_flight = json.loads(row["balances"])
    must(sum(ledger.values()) == 0, "the ledger does not sum to zero")
    must(ledger["bank"] + ledger["fund"] + paid == 0, f"paid {paid}, ledger {dict(ledger)}")
    must(ledger["benefit_expense"] == granted, f"granted {granted}, ledger {dict(ledger)}")
    must(ledger["payouts_in_transit"] == -in_flight, f"on its way {in_flight}: {dict(ledger)}")
    owed = granted - paid - in_flight
    must(ledger["benefits_payable"] == -owed, f"owed {owed}, ledger {dict(ledger)}")
    must(row["balances_odd"] == 0, "payouts do not add up to their member's balance")
    facts = world.bank.facts()
    grants = {UUID(id_): fen for id_, fen in json.loads(row["grants"] or "{}").items()}
    for payout_id, net_fen in credited(facts).items():
        must(payout_id in grants, f"the bank paid {payout_id}, which is nobody's")
        must(net_fen <= grants[payout_id], f"credited twice: {net_fen} > {grants[payout_id]}")
    booked = sum(fact.booked - fact.returned for fact in facts.values())
    return f"{row['said'] or ''} | booked:{booked}"


def credited(facts: dict[str, Fact]) -> dict[UUID, int]:
    """Add up, per payout, what the bank has booked less what it has given back."""
    found: defaultdict[UUID, int] = defaultdict(int)
    for id_, fact in facts.items():
        must(fact.booked <= 1, "an id is booked twice")
        must(fact.returned <= fact.booked, "an id is given back twice")
        named = named_by(id_)
        must(named is not None, "the bank booked an id that is none of ours")
        assert named is not None
        found[named[0]] += fact.net_fen
    return dict(found)


async def check_end(world: World) -> None:
    """Hold everything together once all is settled."""
    await check_step(world)
    await check_books(world.desk)
    paid = credited(world.bank.facts())
    rows = await world.rows("select payout_id, state, amount_fen, grant_fen from payout")
    for row in rows:
        state = row["state"]
        must(state in ("paid", "cancelled", "netted"), f"a payout is still {state}")
        called = row["amount_fen"] if state == "paid" else 0
        booked = paid.get(row["payout_id"], 0)
        must(booked == called, f"we call {called} paid ({state}), the bank has {booked}")
    must(not await open_batches(world.desk), "batches are still under way")
    await _check_batches(world)
    await _check_balances(world)
    await _check_funds(world)
    await _check_events(world)
    if not world.bank_life:
        # A bank that was set back gives its numbers anew, and tells of days in two ways.
        await _check_accounts(world)


async def check_listed(world: World) -> None:
    """Hold what we call paid and the bank has forgotten against what is listed for finance.

    Where the bank has given a number anew, its line of today is not kept: that one has changed is.
    """
    facts = world.bank.facts()
    rows = await world.rows(
        """
        select b.fund_id, b.batch_no, p.amount_fen,
            replace(a.payout_id::text, '-', '') || a.attempt_no as id,
            exists (select from bank_exception x where x.kind = 'missing_in_statement'
                and x.batch_id = b.batch_id) as missing,
            exists (select from bank_exception x where x.kind = 'balance_breaks') as breaks,
            exists (select from bank_line l join bank_exception x on x.batch_id = l.line_id
                where l.fund_id = b.fund_id) as changed
        from attempt a join batch b using (batch_id) join payout p using (payout_id)
        where a.state = 'paid' and b.state = 'closed'
        """
    )
    for row in rows:
        if row["id"] not in facts or not facts[row["id"]].net_fen:
            listed = row["missing"] or row["changed"] or row["breaks"]
            must(listed, f"{row['amount_fen']} of {row['fund_id']} are lost, and nobody is told")


async def _check_batches(world: World) -> None:
    states = {row["state"] for row in await world.rows("select distinct state from batch")}
    must(states <= {"closed", "voided"}, f"batches are {sorted(states)}")
    for table in ("doubt", "held", "refusal"):
        rows = await world.rows(f"select count(*) as n from {table}")  # noqa: S608 - names above
        must(rows[0]["n"] == 0, f"{rows[0]['n']} left in {table}")
    must(not await reading.exceptions(world.desk, settled=False), "exceptions are open")


async def _check_balances(world: World) -> None:
    for row in await world.rows(
        "select granted_fen, paid_fen, in_flight_fen, open_fen from balance"
    ):
        granted, paid, in_flight, open_ = row
        must((in_flight, open_) == (0, 0), f"{in_flight} in flight, {open_} open")
        must(paid >= granted, f"{granted} granted, {paid} paid")


async def _check_funds(world: World) -> None:
    """Hold the ledger's account per fund against the bank's, less what was never ours."""
    for fund in world.funds.funds:
        rows = await world.rows(
            "select coalesce(sum(case when debit = 'bank' then amount_fen else -amount_fen end), 0)"
            "::bigint as fen from ledger"
            " where fund_id = $1 and 'bank' in (debit, credit) and leg !~ '^(received|charged)'",
            fund.fund_id,
        )
        never_ours = sum(
            line.signed_fen
            for line in await world.bank.movements(fund.account)
            if line.kind in NEVER_OURS
        )
        ours, theirs = rows[0]["fen"], world.bank.balance_fen(fund.account)
        must(
            ours == theirs - never_ours,
            f"{fund.fund_id}: the ledger has {ours - OPENING_FEN}, the bank"
            f" {theirs - never_ours - OPENING_FEN} beyond the opening",
        )


async def _check_accounts(world: World) -> None:
    """Hold every line of the bank's against its counterpart, and each day against the ledger."""
    rows = await world.rows(
        "select kind, state, reason from bank_line where state <> 'matched'"
        " and coalesce(reason, '') not in ('UNEXPECTED_DEPOSIT', 'UNEXPECTED_TRANSFER')"
    )
    must(not rows, f"lines are open: {[tuple(row) for row in rows]}")
    yesterday = clock.today() - timedelta(days=1)
    for fund in world.funds.funds:
        days = await reconciled_days(world.desk, fund.fund_id, MORNING.date(), yesterday)
        must(all(day.agrees is not False for day in days), f"{fund.fund_id}: a day breaks: {days}")
        told = any(day.bank_fen is not None for day in days)
        moved = bool(await world.bank.movements(fund.account))
        must(told or not moved, f"{fund.fund_id} has moved and no day is told")


async def _check_events(world: World) -> None:
    """Nobody is told twice that the same attempt was paid."""
    paid = [
        (event["payout_id"], event["attempt_no"])
        for event in events_in(await world.rows(ROWS))
        if event["type"] == "payments.payout_paid.v1"
    ]
    must(len(paid) == len(set(paid)), "a payout was told to be paid twice")
