"""One member's books in memory: the real judge, without a database."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from services.claims.model import (
    Coverage,
    Outcome,
    PeriodKey,
    Person,
    Settlement,
    SettlementKey,
    Totals,
)
from services.claims.rows import COLUMNS, RowReader, texts_of
from services.claims.store.settlements import Claim, Grant, Member
from services.claims.usecases.bills import bills_of, members_with_several
from services.claims.usecases.books import Books
from services.claims.usecases.desk import Desk, Incoming
from services.claims.usecases.intake import Judge
from services.claims.usecases.verdicts import standing
from services.common.ids import new_ids
from services.common.kit import clock
from services.common.kit.sealing import new_salt
from services.common.period import Days
from services.common.schemes.rulebook import Rulebook
from tests.claims.conftest import member_id_of
from tests.claims.test_intake import ZHANG

Row = dict[str, str]
MEMBER: Final = member_id_of(ZHANG)
SINCE: Final = date(2023, 12, 1)


class Account:
    """One member's books; rows come in one by one, and covers become known."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._index = desk.identity.of(ZHANG)
        salt = desk.sealer.seal_salt("claims", MEMBER, new_salt())
        person = Person(date(1990, 3, 7), "M", ("hardship",))
        self._members = {self._index: Member(MEMBER, salt, person)}
        self._read = RowReader(COLUMNS, hash_key=b"a key of the tests", identity=desk.identity).read
        self._rows: dict[SettlementKey, Incoming] = {}
        self.covers: dict[str, Coverage] = {}
        self.claims: dict[SettlementKey, Claim] = {}
        self.totals: dict[PeriodKey, Totals] = {}
        self.grants: list[Grant] = []
        self.rejected: list[Claim] = []

    @property
    def rulebook(self) -> Rulebook:
        return self._desk.rulebook

    def take(self, *rows: Row) -> list[Outcome]:
        incoming = [Incoming.of(texts := texts_of(row), self._read(texts)) for row in rows]
        return self._judge(incoming, frozenset())

    def cover(self, scheme_id: str, starts: date = SINCE) -> None:
        """Hear of a cover: what it does not count yet is judged again in the order of its days."""
        self.covers[scheme_id] = Coverage(scheme_id, Days(starts))
        met = [
            claim
            for claim in self.standing
            if claim.incurred_on >= starts
            and not any(plan.scheme_id == scheme_id for plan in standing(claim))
        ]
        met.sort(key=lambda claim: (claim.incurred_on, claim.claim_id))
        again = [self._rows[claim.key] for claim in met]
        self._judge(again, frozenset(claim.claim_id for claim in met))

    def _judge(self, rows: Sequence[Incoming], reopened: frozenset[UUID]) -> list[Outcome]:
        covers = {MEMBER: sorted(self.covers.values(), key=lambda cover: cover.scheme_id)}
        several = members_with_several(covers, self.rulebook)
        counted = {MEMBER: {claim.claim_id: claim.plans for claim in self.standing}}
        books = Books(
            self._members,
            covers,
            self.claims,
            self.totals,
            bills_of(several, counted if several else {}, self.totals, self.rulebook),
            clock.now(),
        )
        judge = Judge(self._desk, books, new_ids(len(rows)), members_final=True)
        judge.reopened = reopened
        outcomes: list[Outcome] = []
        for row in rows:
            assert isinstance(row.read, Settlement), row.read
            outcomes.append(judge.outcome(row))
            self._rows[row.read.key] = row
        self.grants += books.grants
        self.rejected += books.rejected
        return outcomes

    @property
    def standing(self) -> list[Claim]:
        return [c for c in self.claims.values() if c.status in ("settled", "rejected")]

    def cost(self) -> int:
        """Sum what the bills that stand cost the member."""
        rows = (self._rows[claim.key].read for claim in self.standing)
        return sum(read.facts.own_cost for read in rows if isinstance(read, Settlement))

    def granted(self) -> Counter[str]:
        found = Counter[str]()
        for grant in self.grants:
            found[grant.key.scheme_id] += grant.amount
        return Counter({scheme_id: amount for scheme_id, amount in found.items() if amount})

    def made_good(self) -> int:
        """Sum what was granted by the plans that make costs good."""
        return sum(
            amount
            for key, totals in self.totals.items()
            for name, amount in totals.granted.items()
            if self.rulebook.indemnifies(key.scheme_id, name)
        )
