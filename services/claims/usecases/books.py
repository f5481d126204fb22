"""What a batch reads before it judges, and writes once it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.claims.model import Coverage, PeriodKey, SettlementKey, Totals
from services.claims.rules.begun import Begun
from services.claims.store import settlements as store
from services.claims.store.settlements import Claim, Grant, Member
from services.claims.usecases.bills import Bills, bills_of, members_with_several
from services.claims.usecases.desk import Desk
from services.common.contracts.claims import BenefitGranted, ClaimRejected
from services.common.contracts.event import Event
from services.common.ids import new_ids
from services.common.kit import clock
from services.common.kit.db import Unit


@dataclass(slots=True)
class Books:
    """What a batch has read under its locks, and what it is going to write."""

    members: dict[bytes, Member]
    coverages: dict[UUID, list[Coverage]]
    claims: dict[SettlementKey, Claim]
    totals: dict[PeriodKey, Totals]
    # Of the members with several plans that make the same bills good.
    bills: dict[UUID, Bills]
    now: datetime
    begun: Begun = field(init=False)
    # The sums as they were read, in the order of `totals`, which new periods are added to.
    totals_read: Sequence[Totals] = field(init=False)
    # Whether any refund is among the claims that came before what it takes back.
    refunds_wait: bool = field(init=False)
    changed: dict[UUID, Claim] = field(default_factory=dict[UUID, Claim])
    grants: list[Grant] = field(default_factory=list[Grant])
    rejected: list[Claim] = field(default_factory=list[Claim])

    def __post_init__(self) -> None:
        self.begun = Begun(self.totals)
        self.totals_read = tuple(self.totals.values())
        self.refunds_wait = any(claim.status == "waiting" for claim in self.claims.values())

    def decide(self, claim: Claim, status: str, code: str | None = None) -> None:
        """Give a claim its verdict; a new one is added with it, a known one is changed."""
        claim.status, claim.code = status, code
        self.refunds_wait = self.refunds_wait or status == "waiting"
        claim.decided_at = None if status in ("in_review", "waiting") else self.now
        if not claim.is_new:
            self.changed[claim.claim_id] = claim

    def changed_totals(self) -> tuple[list[tuple[PeriodKey, Totals]], ...]:
        """Give the sums of new periods, and those of periods read that are others now.

        The members' locks tell which ones are new, so that nothing is looked for a second time.
        """
        each = iter(self.totals.items())
        changed = [
            (key, now)
            for before, (key, now) in zip(self.totals_read, each, strict=False)
            if now is not before
        ]
        return list(each), changed


async def opened(
    unit: Unit,
    desk: Desk,
    members: Mapping[bytes, Member],
    claims: Mapping[SettlementKey, Claim],
) -> Books:
    """Read all that claims of these members can touch; the members are locked."""
    ids = [member.member_id for member in members.values()]
    coverages, totals = await store.coverages(unit, ids), await store.totals(unit, ids)
    several = members_with_several(coverages, desk.rulebook)
    counted = await store.counted_plans(unit, several) if several else {}
    return Books(
        members=dict(members),
        coverages=coverages,
        claims=dict(claims),
        totals=totals,
        bills=bills_of(several, counted, totals, desk.rulebook),
        now=clock.now(),
    )


async def write(unit: Unit, books: Books) -> None:
    await store.put_totals(unit, *books.changed_totals())
    await store.add_claims(unit, [claim for claim in books.claims.values() if claim.is_new])
    await store.change_claims(unit, list(books.changed.values()))
    # A grant's period and number name it for good; its id is of its time, so that the keys of what
    # is made of it further on are added at the end of their indexes.
    grant_ids = new_ids(len(books.grants))
    await store.add_grants(unit, grant_ids, books.grants, books.now)
    await unit.publish(_events(books, grant_ids))


def _events(books: Books, grant_ids: Sequence[UUID]) -> list[Event]:
    ids = iter(new_ids(len(books.grants) + len(books.rejected)))
    granted = [
        BenefitGranted(
            event_id=next(ids),
            at=books.now,
            version=grant.grant_no,
            member_id=grant.key.member_id,
            grant_id=grant_id,
            claim_id=grant.claim_id,
            scheme_id=grant.key.scheme_id,
            period=grant.key.starts.year,
            grant_no=grant.grant_no,
            amount_fen=grant.amount,
            cause=grant.cause,
            incurred_on=grant.incurred_on,
        )
        for grant_id, grant in zip(grant_ids, books.grants, strict=True)
    ]
    rejected = [
        ClaimRejected(
            event_id=next(ids),
            at=books.now,
            version=1,
            member_id=claim.member_id,
            claim_id=claim.claim_id,
            code=claim.code or "",
        )
        for claim in books.rejected
        if claim.member_id is not None
    ]
    return [*granted, *rejected]
