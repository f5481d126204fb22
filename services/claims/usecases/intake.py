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
from services.claims.rules.assess import assessed, without_effect
from services.claims.rules.cases import cases
from services.claims.store import settlements as store
from services.claims.store.settlements import NOTHING, Claim, Grant, Member
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


async def take_in(
    unit: Unit,
    desk: Desk,
    rows: Sequence[Incoming],
    *,
    members_final: bool,
    presumed_new: bool = False,
) -> list[Outcome]:
    """Judge the rows in their order and book what they earn; one outcome per row, in order.

    `members_final` says that enrollment's topics were consumed to their end as read after the rows
    arrived: who is unknown now is refused; otherwise the row is kept in review. Rows that are
    `presumed_new` are not looked for one by one: that none was here the books themselves see to.
    Raises `asyncpg.UniqueViolationError` where one was, or the same settlement came by another door
    at the same moment: try the unit again, and presume nothing.
    """

    async def whole(some: Sequence[Incoming]) -> list[Outcome]:
        judge = await _open_books(
            unit, desk, some, members_final=members_final, presumed_new=presumed_new
        )
        outcomes = judge.outcomes(some)
        await write(unit, judge.books)
        return outcomes

    def alone(row: Incoming, failure: Exception) -> list[Outcome]:
        log.error("claim.row_failed", error=failure)
        return [Outcome(row.setl_id, "refused", RefusalCode.NOT_PROCESSED)]

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
            rows.append(Incoming.of(texts, read(texts)))
        judge = await _open_books(unit, desk, rows, members_final=members_final)
        judge.reopened = frozenset(claim.claim_id for claim in some)
        outcomes = judge.outcomes(rows)
        await write(unit, judge.books)
        return outcomes

    def alone(claim: Claim, failure: Exception) -> list[Outcome]:
        log.error("claim.row_failed", claim_id=claim.claim_id, error=failure)
        return [Outcome(claim.key.setl_id, claim.status, claim.code, claim_id=claim.claim_id)]

    parts = await halved(unit, claims, whole, alone, for_the_unit=(asyncpg.UniqueViolationError,))
    return [outcome for part in parts for outcome in part]


async def _open_books(
    unit: Unit,
    desk: Desk,
    rows: Iterable[Incoming],
    *,
    members_final: bool,
    presumed_new: bool = False,
) -> "Judge":
    """Lock the members of the batch and read all that their rows can touch."""
    readable = [row.read for row in rows if isinstance(row.read, Settlement)]
    indexes = {settlement.identity_index for settlement in readable}
    keys = [read.key for read in readable]
    members, claims = await store.lock(unit, indexes, keys, presumed_new=presumed_new)
    books = await opened(unit, desk, members, claims)
    return Judge(desk, books, new_ids(len(readable)), members_final=members_final)


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
        self._unsealed: list[tuple[Claim, Member | None, bytes]] = []

    def outcomes(self, rows: Iterable[Incoming]) -> list[Outcome]:
        """Decide row after row; what is to be kept of them is sealed at the end, all at once."""
        outcomes = [self.outcome(row) for row in rows]
        self._desk.seal(self._unsealed)
        self._unsealed.clear()
        return outcomes

    def outcome(self, row: Incoming) -> Outcome:
        read = row.read
        if isinstance(read, Refusal):
            return Outcome(row.setl_id, "refused", read.code)
        known = self.books.claims.get(read.key)
        if known is not None and not self._is_open(known, read):
            return _again(known, read)
        judge = self._refund if read.key.refund else self._original
        return judge(row.sealable, read, known)

    def _is_open(self, claim: Claim, settlement: Settlement) -> bool:
        """Say whether a known settlement is to be judged anew, as it stands under the lock.

        What was refused may come corrected; what waits, or has met a new cover, is judged as sent.
        """
        if claim.status == "refused":
            return True
        met = claim.claim_id in self.reopened and _judged(claim)
        waits = claim.status == "in_review" or met
        return waits and claim.content_hash == settlement.content_hash

    def _original(self, sealable: bytes, settlement: Settlement, known: Claim | None) -> Outcome:
        key, facts = settlement.key, settlement.facts
        member = self.books.members.get(settlement.identity_index)
        if member is None:
            if self._members_final:
                return self._refuse(settlement, known, RefusalCode.UNKNOWN_MEMBER)
            claim = self._claim(sealable, settlement, known, None)
            self.books.decide(claim, "in_review", "MEMBER_PENDING")
            return Outcome(key.setl_id, "in_review", "MEMBER_PENDING", claim_id=claim.claim_id)
        if self.books.refunds_wait and self._was_refunded_before(settlement):
            claim = self._claim(sealable, settlement, known, member)
            claim.working = joined("[]", [without_effect(facts.self_pay_one)])
            self.books.decide(claim, "reversed")
            return Outcome(key.setl_id, "reversed", claim_id=claim.claim_id)
        found = self._brought(facts, member, known)
        if isinstance(found, Refusal):
            return self._refuse(settlement, known, found.code)
        claim = self._claim(sealable, settlement, known, member)
        assessments = self._assessed(found, claim, facts.own_cost)
        plans = tuple([in_plan(done) for done in assessments])
        if known is not None:
            still = standing(known)
            claim.working, plans = kept(known.working, still), still + plans
        booked = self._book(claim, assessments, cause="settled")
        benefit = Fen(sum([plan.benefit for plan in plans]))
        code = code_of(plans)
        told = known is not None and (known.status, known.code) == ("rejected", code)
        claim.plans, claim.benefit = plans, benefit
        claim.working = joined(claim.working, assessments)
        self.books.decide(claim, "settled" if benefit else "rejected", code)
        if not benefit and not told:
            self.books.rejected.append(claim)
        return Outcome(key.setl_id, claim.status, code, booked, claim.claim_id)

    def _brought(self, facts: Facts, member: Member, known: Claim | None) -> Brought | Refusal:
        """Bring a settlement before the plans of its member that do not count it yet."""
        rulebook = self._desk.rulebook
        counting = () if known is None else standing(known)
        brought = cases(
            member.member_id,
            facts,
            member.person,
            self.books.coverages.get(member.member_id, ()),
            rulebook,
            judged=[(p.scheme_id, p.benefit_name) for p in counting] if counting else (),
            aided=aid(counting, rulebook) if counting else NOTHING,
        )
        return brought if isinstance(brought, Refusal) else self.books.begun.place(brought)

    def _assessed(self, brought: Brought, claim: Claim, cost: Fen) -> tuple[Assessment, ...]:
        """Work a claim out; `cost` is what it cost the member, nothing where it is taken back."""
        some = self.books.bills
        bills = some.get(claim.member_id) if some and claim.member_id else None
        if bills is not None:
            brought = brought._replace(bills=bills.with_bill(claim.claim_id, cost))
        assessments = assessed(brought, self.books.totals)
        if bills is not None:
            bills.keep(claim.claim_id, cost, assessments, self._desk.rulebook)
        return assessments

    def _was_refunded_before(self, settlement: Settlement) -> bool:
        """See whether a refund is here already that waits for just this settlement."""
        waiting = self.books.claims.get(settlement.key._replace(refund=True))
        if waiting is None or waiting.status != "waiting":
            return False
        if waiting.mirror_hash != settlement.mirror_hash:
            self.books.decide(waiting, "refused", RefusalCode.REFUND_MISMATCH)
            return False
        self.books.decide(waiting, "reversed")
        return True

    def _refund(self, sealable: bytes, settlement: Settlement, known: Claim | None) -> Outcome:
        key = settlement.key
        original = self.books.claims.get(key._replace(refund=False))
        member = self.books.members.get(settlement.identity_index)
        if original is None or original.status == "refused":
            claim = self._claim(sealable, settlement, known, member)
            self.books.decide(claim, "waiting")
            return Outcome(key.setl_id, "reversed", claim_id=claim.claim_id)
        if original.status == "reversed" or original.mirror_hash != settlement.mirror_hash:
            return self._refuse(settlement, known, RefusalCode.REFUND_MISMATCH)
        brought = taken_back(original, self._desk.rulebook)
        assessments = self._assessed(brought, original, NOTHING)
        change = self._book(original, assessments, cause="reversed")
        self.books.decide(original, "reversed")
        claim = self._claim(sealable, settlement, known, member)
        nothing = [without_effect(settlement.facts.self_pay_one)]
        claim.working = joined("[]", assessments or nothing)
        self.books.decide(claim, "reversed")
        return Outcome(key.setl_id, "reversed", None, change, original.claim_id)

    def _claim(
        self,
        sealable: bytes,
        settlement: Settlement,
        known: Claim | None,
        member: Member | None,
    ) -> Claim:
        """Give the row's claim; what is sealed follows the member once one is known."""
        claim = Claim(
            next(self._fresh_ids) if known is None else known.claim_id,
            settlement.key,
            "",
            None if member is None else member.member_id,
            settlement.facts.day,
            settlement.content_hash,
            settlement.mirror_hash,
            b"",
            self.books.now if known is None else known.received_at,
            facts=_FACTS.encode(settlement.facts),
            is_new=known is None or known.is_new,
        )
        self._unsealed.append((claim, member, sealable))
        self.books.claims[claim.key] = claim
        return claim

    def _refuse(self, settlement: Settlement, known: Claim | None, code: RefusalCode) -> Outcome:
        """Refuse the row; only what was answered for before, and is kept, remembers it.

        A verdict stands: what is reopened and cannot be judged may still meet another cover.
        """
        setl_id = settlement.key.setl_id
        if known is None:
            return Outcome(setl_id, "refused", code)
        if _judged(known):
            return Outcome(setl_id, known.status, known.code, claim_id=known.claim_id)
        self.books.decide(known, "refused", code)
        return Outcome(setl_id, "refused", code, claim_id=known.claim_id)

    def _book(self, claim: Claim, assessments: Sequence[Assessment], *, cause: Cause) -> Fen:
        """Note the grants that assessments lead to; gives their signed sum."""
        booked = 0
        for assessment in assessments:
            key, benefit = assessment.key, assessment.benefit
            if key is None or assessment.grant_no is None:
                continue
            working = None if cause == "settled" else joined("[]", [assessment])
            day = claim.incurred_on
            self.books.grants.append(
                Grant(key, assessment.grant_no, claim.claim_id, benefit, cause, working, day)
            )
            booked += benefit
        return Fen(booked)


def _judged(claim: Claim) -> bool:
    return claim.status in ("settled", "rejected")


def _again(known: Claim, settlement: Settlement) -> Outcome:
    """Answer a settlement that is here already."""
    if known.content_hash != settlement.content_hash:
        return Outcome(known.key.setl_id, "refused", RefusalCode.CONFLICTING_CONTENT)
    return Outcome(known.key.setl_id, "duplicate", known.code, known.benefit, known.claim_id)
