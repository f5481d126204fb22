"""Checks the platform from outside: the bank's book, the provider's log, the rows of the databases.

It imports nothing of the product and takes no service's word for anything: every sum is added up
here, from single lines and rows, and an instruction is traced to its member by what stands in it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

PAID_TEXT = "SMS_PAYOUT_PAID"
REFUSED_TEXT = "SMS_PAYOUT_REFUSED_MEMBER"
OPEN = ("awaiting_payee", "ready", "refused")
SERVICES = ("enrollment", "claims", "payments", "notify")
UUID_DIGITS = 32

Account = tuple[UUID, str]  # a member and a scheme


class BankLine(NamedTuple):
    account: str
    amount_fen: int
    status: str
    instruction_id: str

    @property
    def payout_id(self) -> UUID:
        return UUID(self.instruction_id[:UUID_DIGITS])


class Text(NamedTuple):
    phone: str
    template: str
    amount_fen: int
    tail: str


class Grant(NamedTuple):
    member_id: UUID
    scheme_id: str
    year: int
    amount_fen: int


class Balance(NamedTuple):
    member_id: UUID
    scheme_id: str
    granted_fen: int
    paid_fen: int
    in_flight_fen: int


class Payout(NamedTuple):
    payout_id: UUID
    member_id: UUID
    scheme_id: str
    grant_fen: int
    amount_fen: int
    state: str

    @property
    def owner(self) -> Account:
        return self.member_id, self.scheme_id


class Posting(NamedTuple):
    source_id: UUID
    leg: str
    debit: str
    credit: str
    amount_fen: int


class Feed(NamedTuple):
    status: str
    lines: int
    settled: int
    rejected: int
    reversed: int
    duplicate: int
    refused: int


@dataclass(frozen=True)
class Books:
    """All that was read, as it stood at one moment of rest."""

    bank: Sequence[BankLine]
    texts: Sequence[Text]
    grants: Sequence[Grant]
    balances: Sequence[Balance]
    payouts: Sequence[Payout]
    ledger: Sequence[Posting]
    feeds: Sequence[Feed]
    under_way: Mapping[str, int]
    dead: Mapping[str, int]
    members: Mapping[str, UUID]  # by settlement


def findings(books: Books, phones: Mapping[str, str]) -> list[str]:
    """Say what does not hold; `phones` knows whose account is whose telephone."""
    checks: Sequence[Iterable[str]] = (
        _nothing_is_left(books),
        _feeds_add_up(books),
        _nobody_is_paid_twice(books),
        _payouts_are_the_bank_book(books),
        _members_have_what_was_granted(books),
        _ledger_is_the_bank_book(books),
        _texts_are_the_bank_book(books, phones),
    )
    return [found for check in checks for found in check]


def wrong_grants(
    books: Books, due: Mapping[tuple[str, int], int], person_of: Mapping[str, str]
) -> list[str]:
    """Compare each person's years with what is due; `person_of` says whose a settlement is."""
    persons = {member: person_of[s] for s, member in books.members.items() if s in person_of}
    granted: Counter[tuple[str, int]] = Counter()
    for grant in books.grants:
        if grant.member_id in persons:
            granted[persons[grant.member_id], grant.year] += grant.amount_fen
    return [
        f"granted in {key[1]}: {granted[key]} instead of {due.get(key, 0)}"
        for key in sorted(granted.keys() | due.keys())
        if granted[key] != due.get(key, 0)
    ]


def _nothing_is_left(books: Books) -> Iterator[str]:
    for what, count in books.under_way.items():
        if count:
            yield f"still under way: {count} {what}"
    for service, count in books.dead.items():
        if count:
            yield f"dead letters in {service}: {count}"
    for balance in books.balances:
        if balance.in_flight_fen:
            yield f"in flight for {balance.member_id}: {balance.in_flight_fen}"


def _feeds_add_up(books: Books) -> Iterator[str]:
    for feed in books.feeds:
        counted = feed.settled + feed.rejected + feed.reversed + feed.duplicate + feed.refused
        if feed.status != "done" or counted != feed.lines:
            yield f"a feed of {feed.lines} lines is {feed.status} and counts {counted}"


def _nobody_is_paid_twice(books: Books) -> Iterator[str]:
    booked = [line for line in books.bank if line.status == "booked"]
    for instruction, times in Counter(line.instruction_id for line in booked).items():
        if times > 1:
            yield f"instruction {instruction} is booked {times} times"
    for payout, times in Counter(line.payout_id for line in booked).items():
        if times > 1:
            yield f"payout {payout} has {times} transfers booked"


def _payouts_are_the_bank_book(books: Books) -> Iterator[str]:
    booked = {line.payout_id: line.amount_fen for line in books.bank if line.status == "booked"}
    paid = {one.payout_id: one.amount_fen for one in books.payouts if one.state == "paid"}
    for payout_id in booked.keys() | paid.keys():
        if booked.get(payout_id) != paid.get(payout_id):
            yield (
                f"payout {payout_id}: the bank booked {booked.get(payout_id)},"
                f" payments paid {paid.get(payout_id)}"
            )


def _members_have_what_was_granted(books: Books) -> Iterator[str]:
    """Hold four sums against each other: claims', payments', the bank's, and what is open."""
    owners = {payout.payout_id: payout.owner for payout in books.payouts}
    booked: Counter[Account | None] = Counter()
    for line in books.bank:
        if line.status == "booked":
            booked[owners.get(line.payout_id)] += line.amount_fen
    if booked[None]:
        yield f"booked for nobody: {booked[None]}"
    granted = _sums((grant[:2], grant.amount_fen) for grant in books.grants)
    of_payouts = _sums((payout.owner, payout.grant_fen) for payout in books.payouts)
    open_fen = _sums((p.owner, p.amount_fen) for p in books.payouts if p.state in OPEN)
    balances = {balance[:2]: balance for balance in books.balances}
    for owner in granted.keys() | of_payouts.keys() | balances.keys():
        balance = balances.get(owner, Balance(owner[0], owner[1], 0, 0, 0))
        due = granted[owner] - booked[owner]
        for what, expected, found in (
            ("payments was told", granted[owner], balance.granted_fen),
            ("payouts were made", granted[owner], of_payouts[owner]),
            ("payments has paid", booked[owner], balance.paid_fen),
            ("open payouts", max(0, due), open_fen[owner]),
        ):
            if expected != found:
                yield f"{owner}: {what} {found} instead of {expected}"


def _ledger_is_the_bank_book(books: Books) -> Iterator[str]:
    accounts: Counter[str] = Counter()
    for posting in books.ledger:
        accounts[posting.debit] += posting.amount_fen
        accounts[posting.credit] -= posting.amount_fen
    booked = sum(line.amount_fen for line in books.bank if line.status == "booked")
    granted = sum(grant.amount_fen for grant in books.grants)
    for what, expected, found in (
        ("has left the fund", booked, -accounts["fund"] - accounts["bank"]),
        ("is benefit expense", granted, accounts["benefit_expense"]),
        ("is payable", granted - booked, -accounts["benefits_payable"]),
        ("is in transit", 0, accounts["payouts_in_transit"]),
    ):
        if expected != found:
            yield f"ledger: {found} {what} instead of {expected}"
    credited = _sums((p.source_id, p.amount_fen) for p in books.ledger if p.credit == "bank")
    for line in books.bank:
        if line.status == "booked" and credited[line.payout_id] != line.amount_fen:
            yield f"ledger: {credited[line.payout_id]} for payout {line.payout_id}"


def _texts_are_the_bank_book(books: Books, phones: Mapping[str, str]) -> Iterator[str]:
    def lines(status: str) -> Iterable[BankLine]:
        return (line for line in books.bank if line.status == status)

    due = Counter(
        (phones.get(line.account, "nobody"), line.amount_fen, line.account[-4:])
        for line in lines("booked")
    )
    said = Counter(
        (text.phone, text.amount_fen, text.tail)
        for text in books.texts
        if text.template == PAID_TEXT
    )
    for (phone, amount, _), times in (due - said).items():
        yield f"{times} text of {amount} fen missing at ..{phone[-4:]}"
    for (phone, amount, _), times in (said - due).items():
        yield f"{times} text of {amount} fen too many at ..{phone[-4:]}"
    refused = Counter(
        (phones.get(line.account, "nobody"), line.amount_fen) for line in lines("refused")
    )
    told = Counter((t.phone, t.amount_fen) for t in books.texts if t.template == REFUSED_TEXT)
    for (phone, amount), times in (told - refused).items():
        yield f"{times} refusal of {amount} fen too many at ..{phone[-4:]}"


def _sums(pairs: Iterable[tuple[Any, int]]) -> defaultdict[Any, int]:
    sums: defaultdict[Any, int] = defaultdict(int)
    for key, amount in pairs:
        sums[key] += amount
    return sums


# ---- reading -------------------------------------------------------------------------------------

_PENDING = """
    select coalesce(sum(events), 0) from outbox o, relay_state s
    where not pg_visible_in_snapshot(o.xid, s.prev::pg_snapshot)
      and not (pg_visible_in_snapshot(o.xid, s.cur::pg_snapshot) and o.id <= s.last_id)
    """
_UNDER_WAY: Mapping[str, Mapping[str, str]] = {
    "enrollment": {
        "rosters": "select count(*) from rosters where status in ('queued', 'running')",
    },
    "claims": {
        "feeds": "select count(*) from feed where status in ('queued', 'running')",
        "settlements in review": "select count(*) from review",
    },
    "payments": {
        "batches": "select count(*) from batch where state not in ('closed', 'voided')",
        "payouts": """select count(*) from payout
                      where state in ('awaiting_payee', 'ready', 'batched')""",
        "attempts": "select count(*) from attempt where state = 'in_flight'",
        "bank exceptions": "select count(*) from bank_exception",
    },
    "notify": {
        "calls": "select count(*) from dispatch where state <> 'done'",
        "texts": """select count(*) from message g left join dispatch d using (dispatch_id)
                    where coalesce(g.state, d.state)
                          not in ('done', 'sent', 'refused', 'no_recipient')""",
    },
}


async def under_way(urls: Mapping[str, str]) -> dict[str, int]:
    """Count what is not finished, in the order in which work flows through the services."""
    counts: dict[str, int] = {}
    for service in SERVICES:
        questions = {"events to publish": _PENDING, **_UNDER_WAY[service]}
        rows = await _ask(urls[service], *questions.values())
        for what, [row] in zip(questions, rows, strict=True):
            counts[f"{what} of {service}"] = row[0]
    return counts


async def behind(urls: Mapping[str, str], cluster_id: str, ends: Mapping[Any, int]) -> int:
    """Count the records that a group has still before it on this cluster."""
    question = f"""select topic, partition, next_offset from positions
                   where cluster_id = '{cluster_id}'"""  # noqa: S608 - our own cluster's id
    left = 0
    for service in SERVICES[1:]:
        [rows] = await _ask(urls[service], question)
        if not rows:  # this service has not seen the cluster yet
            return sum(ends.values())
        left += sum(ends[topic, partition] - offset for topic, partition, offset in rows)
    return left


async def read(
    urls: Mapping[str, str], bank: Sequence[Mapping[str, Any]], log: Sequence[Mapping[str, Any]]
) -> Books:
    """Read everything there is, from the first row on."""
    grants, feeds, members = await _ask(
        urls["claims"],
        """select member_id, scheme_id, extract(year from period_starts)::int, amount_fen
           from benefit_grant""",
        "select status, lines, settled, rejected, reversed, duplicate, refused from feed",
        """select setl_id, member_id from settlement
           where member_id is not null and status not in ('refused', 'in_review')""",
    )
    balances, payouts, ledger = await _ask(
        urls["payments"],
        "select member_id, scheme_id, granted_fen, paid_fen, in_flight_fen from balance",
        "select payout_id, member_id, scheme_id, grant_fen, amount_fen, state from payout",
        "select source_id, leg, debit, credit, amount_fen from ledger",
    )
    return Books(
        bank=[
            BankLine(one["account"], _fen(one["amount"]), one["status"], one["instruction_id"])
            for one in bank
        ],
        texts=[
            Text(
                one["phone"],
                one["template"],
                _fen(one["params"]["amount"]),
                one["params"].get("tail", ""),
            )
            for one in log
            if "amount" in one["params"]
        ],
        grants=sorted(Grant(*row) for row in grants),
        balances=sorted(Balance(*row) for row in balances),
        payouts=sorted(Payout(*row) for row in payouts),
        ledger=sorted(Posting(*row) for row in ledger),
        feeds=sorted(Feed(*row) for row in feeds),
        under_way=await under_way(urls),
        dead={
            service: (await _ask(urls[service], "select count(*) from dead_letters"))[0][0][0]
            for service in SERVICES[1:]
        },
        members=dict(map(tuple, members)),
    )


async def _ask(url: str, *questions: str) -> list[list[Any]]:
    connection = await asyncpg.connect(url, timeout=5, command_timeout=20)
    try:
        return [await connection.fetch(question) for question in questions]
    finally:
        await connection.close()


def _fen(yuan: str) -> int:
    return int(Decimal(yuan) * 100)
