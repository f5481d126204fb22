"""Settlements in, by whatever door: judged, assessed, booked as grants, told as events.

One code path for one row and for a chunk of thousands. All members of a batch are locked in one
ordered statement before anything of theirs is read, so what a batch reads stays true while it
decides, and two batches cannot deadlock.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
import msgspec

from services.claims.model import (
    Assessment,
    Brought,
    Cause,
    Facts,
    Outcome,
    Refusal,
    RefusalCode,
    Settlement,
)
from services.claims.rows import shown
from services.claims.rules.assess import assessed, without_effect
from services.claims.rules.cases import cases
from services.claims.rules.facts import facts_of
from services.claims.store import settlements as store
from services.claims.store.settlements import (
    NOTHING,
    Claim,
    Grant,
    Member,
    SettlementKey,
)
from services.claims.usecases.books import Books, opened, write
from services.claims.usecases.desk import Desk, Incoming, Reader
from services.claims.usecases.verdicts import (
    aid,
    code_of,
    in_plan,
    joined,
    kept,
    standing,
    taken_back,
)
from services.common.ids import new_ids
from services.common.kit.db import Unit
from services.common.kit.halving import halved
from services.common.kit.logs import get_logger
from services.common.money import Fen

log = get_logger()
# What names an illness stays with the sealed row.
_FACTS = msgspec.msgpack.Encoder(enc_hook=lambda _diagnosis: None)


class Row(msgspec.Struct, frozen=True, gc=False):
    """One readable row of the batch, with what it is found by."""

    texts: Sequence[str]
    settlement: Settlement
    facts: Facts
    key: SettlementKey
    identity_index: bytes


async def take_in(
    unit: Unit, desk: Desk, rows: Sequence[Incoming], *, members_final: bool
) -> list[Outcome]:
    """Judge the rows in their order and book what they earn; one outcome per row, in order.

    `members_final` says that enrollment's topics were consumed to their end as read after the rows
    arrived: who is unknown now is refused; otherwise the row is kept in review.
    Raises `asyncpg.UniqueViolationError` where the same settlement came by another door at the
    same moment: try the unit again.
    """

    async def whole(some: Sequence[Incoming]) -> list[Outcome]:
        found = found_by(desk, some)
        judge = await _open_books(unit, desk, found, members_final=members_final)
        outcomes = judge.outcomes(found)
        await write(unit, judge.books)
        return outcomes

    def alone(row: Incoming, failure: Exception) -> list[Outcome]:
        log.error("claim.row_failed", error=failure)
        return [Outcome(shown(row.texts[0]), "refused", RefusalCode.NOT_PROCESSED)]

    parts = await halved(unit, rows, whole, alone, for_the_unit=(asyncpg.UniqueViolationError,))
    return [outcome for part in parts for outcome in part]


async def reconsider(
    unit: Unit, desk: Desk, claims: Sequence[Claim], read: Reader, *, members_final: bool
) -> list[Outcome]:
    """Judge claims again whose member or cover was not known, as if they came now.

    One that cannot be judged stays as it is.
    """

    async def whole(some: Sequence[Claim]) -> list[Outcome]:
        owners = await store.members_of(unit, [c.member_id for c in some if c.member_id])
        rows: list[Incoming] = []
        for claim in some:
            texts = desk.unseal(claim, owners)
            rows.append(Incoming(texts, read(texts)))
        found = found_by(desk, rows)
        judge = await _open_books(unit, desk, found, members_final=members_final)
        judge.reopened = frozenset(claim.claim_id for claim in some)
        outcomes = judge.outcomes(found)
        await write(unit, judge.books)
        return outcomes

    def alone(claim: Claim, failure: Exception) -> list[Outcome]:
        log.error("claim.row_failed", claim_id=claim.claim_id, error=failure)
        return [Outcome(claim.key.setl_id, claim.status, claim.code, claim_id=claim.claim_id)]

    parts = await halved(unit, claims, whole, alone, for_the_unit=(asyncpg.UniqueViolationError,))
    return [outcome for part in parts for outcome in part]


def found_by(desk: Desk, rows: Iterable[Incoming]) -> list[Row | Outcome]:
    """Give rows with what they are found by; of one that cannot be read, what became of it."""
    indexes: dict[str, bytes] = {}
    found: list[Row | Outcome] = []
    for row in rows:
        read = row.read
        if isinstance(read, Refusal):
            found.append(Outcome(shown(row.texts[0]), "refused", read.code))
            continue
        certno = read.certno.open()
        index = indexes.get(certno)
        if index is None:
            index = indexes[certno] = desk.identity.of(certno.upper())
        key = SettlementKey(read.fixmedins_code, read.setl_id, read.refund)
        found.append(Row(row.texts, read, facts_of(read), key, index))
    return found


async def _open_books(
    unit: Unit, desk: Desk, found: Iterable[Row | Outcome], *, members_final: bool
) -> "Judge":
    """Lock the members of the batch and read all that their rows can touch."""
    rows = [row for row in found if isinstance(row, Row)]
    indexes = dict.fromkeys([row.identity_index for row in rows])
    members, claims = await store.lock(unit, indexes, [row.key for row in rows])
    books = await opened(unit, desk, members, claims)
    return Judge(desk, books, new_ids(len(rows)), members_final=members_final)


class Judge:
    """Decides row after row, reading and writing the books of its batch."""

    def __init__(
        self,
        desk: Desk,
        books: Books,
        fresh_ids: Iterable[UUID],
        *,
        members_final: bool,
    ) -> None:
        self.books = books
        self.reopened: frozenset[UUID] = frozenset()
        self._desk = desk
        self._fresh_ids = iter(fresh_ids)
        self._members_final = members_final
        self._unsealed: list[tuple[Claim, Member | None, Sequence[str]]] = []

    def outcomes(self, rows: Iterable[Row | Outcome]) -> list[Outcome]:
        """Decide row after row; what is to be kept of them is sealed at the end, all at once."""
        outcomes = [row if isinstance(row, Outcome) else self.outcome(row) for row in rows]
        self._desk.seal(self._unsealed)
        self._unsealed.clear()
        return outcomes

    def outcome(self, row: Row) -> Outcome:
        known = self.books.claims.get(row.key)
        if known is not None and not self._is_open(known, row.settlement):
            return _again(known, row.settlement)
        return self._refund(row, known) if row.key.refund else self._original(row, known)

    def _is_open(self, claim: Claim, settlement: Settlement) -> bool:
        """Say whether a known settlement is to be judged anew, as it stands under the lock.

        What was refused may come corrected; what waits, or has met a new cover, is judged as sent.
        """
        if claim.status == "refused":
            return True
        met = claim.claim_id in self.reopened and _judged(claim)
        waits = claim.status == "in_review" or met
        return waits and claim.content_hash == settlement.content_hash

    def _original(self, row: Row, known: Claim | None) -> Outcome:
        member = self.books.members.get(row.identity_index)
        if member is None:
            if self._members_final:
                return self._refuse(row, known, RefusalCode.UNKNOWN_MEMBER)
            claim = self._claim(row, known, None)
            self.books.decide(claim, "in_review", "MEMBER_PENDING")
            return Outcome(row.key.setl_id, "in_review", "MEMBER_PENDING", claim_id=claim.claim_id)
        if self._was_refunded_before(row):
            claim = self._claim(row, known, member)
            claim.working = joined("[]", [without_effect(row.settlement.self_pay_one)])
            self.books.decide(claim, "reversed")
            return Outcome(row.key.setl_id, "reversed", claim_id=claim.claim_id)
        found = self._brought(row, member, known)
        if isinstance(found, Refusal):
            return self._refuse(row, known, found.code)
        claim = self._claim(row, known, member)
        assessments = self._assessed(found, claim, row.facts.own_cost)
        if known is not None:
            claim.plans = standing(known)
            claim.working = kept(known.working, claim.plans)
        booked = self._book(claim, assessments, cause="settled")
        claim.plans += tuple(map(in_plan, assessments))
        claim.benefit = Fen(sum([plan.benefit for plan in claim.plans]))
        claim.working = joined(claim.working, assessments)
        code = code_of(claim.plans)
        told = known is not None and (known.status, known.code) == ("rejected", code)
        self.books.decide(claim, "settled" if claim.benefit else "rejected", code)
        if not claim.benefit and not told:
            self.books.rejected.append(claim)
        return Outcome(row.key.setl_id, claim.status, code, booked, claim.claim_id)

    def _brought(self, row: Row, member: Member, known: Claim | None) -> Brought | Refusal:
        """Bring a settlement before the plans of its member that do not count it yet."""
        rulebook = self._desk.rulebook
        counting = () if known is None else standing(known)
        brought = cases(
            member.member_id,
            row.facts,
            member.person,
            self.books.coverages.get(member.member_id, ()),
            rulebook,
            judged=[(p.scheme_id, p.benefit_name) for p in counting] if counting else (),
            aided=aid(counting, rulebook) if counting else NOTHING,
        )
        return brought if isinstance(brought, Refusal) else self.books.begun.place(brought)

    def _assessed(self, brought: Brought, claim: Claim, cost: Fen) -> tuple[Assessment, ...]:
        """Work a claim out; `cost` is what it cost the member, nothing where it is taken back."""
        bills = self.books.bills.get(claim.member_id) if claim.member_id else None
        if bills is not None:
            brought = brought._replace(bills=bills.with_bill(claim.claim_id, cost))
        assessments = assessed(brought, self.books.totals)
        if bills is not None:
            bills.keep(claim.claim_id, cost, assessments, self._desk.rulebook)
        return assessments

    def _was_refunded_before(self, row: Row) -> bool:
        """See whether a refund is here already that waits for just this settlement."""
        code, setl_id, _ = row.key
        waiting = self.books.claims.get(SettlementKey(code, setl_id, refund=True))
        if waiting is None or waiting.status != "waiting":
            return False
        if waiting.mirror_hash != row.settlement.mirror_hash:
            self.books.decide(waiting, "refused", RefusalCode.REFUND_MISMATCH)
            return False
        self.books.decide(waiting, "reversed")
        return True

    def _refund(self, row: Row, known: Claim | None) -> Outcome:
        original = self.books.claims.get(row.key._replace(refund=False))
        member = self.books.members.get(row.identity_index)
        if original is None or original.status == "refused":
            claim = self._claim(row, known, member)
            self.books.decide(claim, "waiting")
            return Outcome(row.key.setl_id, "reversed", claim_id=claim.claim_id)
        if original.status == "reversed" or original.mirror_hash != row.settlement.mirror_hash:
            return self._refuse(row, known, RefusalCode.REFUND_MISMATCH)
        brought = taken_back(original, self._desk.rulebook)
        assessments = self._assessed(brought, original, NOTHING)
        change = self._book(original, assessments, cause="reversed")
        self.books.decide(original, "reversed")
        claim = self._claim(row, known, member)
        nothing = [without_effect(row.settlement.self_pay_one)]
        claim.working = joined("[]", assessments or nothing)
        self.books.decide(claim, "reversed")
        return Outcome(row.key.setl_id, "reversed", None, change, original.claim_id)

    def _claim(self, row: Row, known: Claim | None, member: Member | None) -> Claim:
        """Give the row's claim; what is sealed follows the member once one is known."""
        claim_id = next(self._fresh_ids) if known is None else known.claim_id
        settlement = row.settlement
        claim = Claim(
            claim_id=claim_id,
            key=row.key,
            status="",
            member_id=None if member is None else member.member_id,
            identity_index=row.identity_index,
            incurred_on=settlement.enddate,
            content_hash=settlement.content_hash,
            mirror_hash=settlement.mirror_hash,
            sealed=b"",
            facts=_FACTS.encode(row.facts),
            received_at=self.books.now if known is None else known.received_at,
        )
        self._unsealed.append((claim, member, row.texts))
        self.books.put(claim, is_new=known is None)
        return claim

    def _refuse(self, row: Row, known: Claim | None, code: RefusalCode) -> Outcome:
        """Refuse the row; only what was answered for before, and is kept, remembers it.

        A verdict stands: what is reopened and cannot be judged may still meet another cover.
        """
        if known is not None and _judged(known):
            return Outcome(row.key.setl_id, known.status, known.code, claim_id=known.claim_id)
        if known is not None:
            self.books.decide(known, "refused", code)
        return Outcome(
            row.key.setl_id, "refused", code, claim_id=None if known is None else known.claim_id
        )

    def _book(self, claim: Claim, assessments: Sequence[Assessment], *, cause: Cause) -> Fen:
        """Note the grants that assessments lead to; gives their signed sum."""
        booked = 0
        for assessment in assessments:
            key = assessment.key
            if key is None:
                continue
            self.books.changed_periods.add(key)
            if assessment.grant_no is not None:
                working = None if cause == "settled" else joined("[]", [assessment])
                self.books.grants.append(
                    Grant(
                        key,
                        assessment.grant_no,
                        claim.claim_id,
                        assessment.benefit,
                        cause,
                        working,
                        claim.incurred_on,
                    )
                )
                booked += assessment.benefit
        return Fen(booked)


def _judged(claim: Claim) -> bool:
    return claim.status in ("settled", "rejected")


def _again(known: Claim, settlement: Settlement) -> Outcome:
    """Answer a settlement that is here already."""
    if known.content_hash != settlement.content_hash:
        return Outcome(known.key.setl_id, "refused", RefusalCode.CONFLICTING_CONTENT)
    return Outcome(known.key.setl_id, "duplicate", known.code, known.benefit, known.claim_id)
