"""The nouns of claims: a settlement, the cover it meets, what is owed for it, and why."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from services.common.identity import Diagnosis, IdNumber, PersonName
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.model import KindTerms, Terms


class RefusalCode(StrEnum):
    """Why a row is not taken in; it is not remembered and is judged anew next time."""

    MISSING_FIELD = "MISSING_FIELD"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_DATE = "BAD_DATE"
    SUMS_MISMATCH = "SUMS_MISMATCH"
    ID_CHECK_DIGIT = "ID_CHECK_DIGIT"
    UNKNOWN_MEMBER = "UNKNOWN_MEMBER"
    NOT_IN_SERVICE = "NOT_IN_SERVICE"
    CONFLICTING_CONTENT = "CONFLICTING_CONTENT"
    REFUND_MISMATCH = "REFUND_MISMATCH"
    FOREIGN_HOSPITAL = "FOREIGN_HOSPITAL"
    SCHEME_UNKNOWN = "SCHEME_UNKNOWN"
    SCHEME_FIGURE_MISSING = "SCHEME_FIGURE_MISSING"
    # A fault of ours: logged, and judged anew when the row comes again.
    NOT_PROCESSED = "NOT_PROCESSED"


class Reason(StrEnum):
    """Why a settlement that was assessed earns nothing, or less than its share."""

    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    OUTSIDE_COVERAGE = "OUTSIDE_COVERAGE"
    NOT_COVERED_VISIT = "NOT_COVERED_VISIT"
    AT_OR_BELOW_DEDUCTIBLE = "AT_OR_BELOW_DEDUCTIBLE"
    CAP_ANNUAL = "CAP_ANNUAL"
    NOTHING_TO_ADD = "NOTHING_TO_ADD"


class Verdict(StrEnum):
    SETTLED = "settled"
    REJECTED = "rejected"
    REVERSED = "reversed"


# What happened to a claim that its grant was booked for.
Cause = Literal["settled", "reversed", "reassessed"]


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """One row of the national settlement interface, under its own names; amounts in fen."""

    setl_id: str
    mdtrt_id: str
    psn_cert_type: str
    certno: IdNumber
    psn_name: PersonName
    insutype: str
    psn_type: str
    fixmedins_code: str
    fixmedins_name: str
    hosp_lv: str
    med_type: str
    begndate: date
    enddate: date
    setl_time: datetime
    dise_codg: Diagnosis
    dise_name: Diagnosis
    medfee_sumamt: Fen
    fulamt_ownpay_amt: Fen
    overlmt_selfpay: Fen
    preselfpay_amt: Fen
    inscp_scp_amt: Fen
    act_pay_dedc: Fen
    hifp_pay: Fen
    hifob_pay: Fen
    fund_pay_sumamt: Fen
    psn_part_amt: Fen
    copay_pooled: Fen
    copay_large_sum: Fen
    refund: bool
    # Keyed hashes of 16 bytes. Of every value: same key, other hash means other content.
    content_hash: bytes
    # Of key, person and amounts, signs aside: equal for an original and its exact refund.
    mirror_hash: bytes

    @property
    def self_pay_one(self) -> Fen:
        return Fen(max(0, self.inscp_scp_amt - self.fund_pay_sumamt))


class Refusal(msgspec.Struct, frozen=True):
    code: RefusalCode
    # The column or the scheme's figure that is at fault, where there is one.
    at: str = ""


class Coverage(msgspec.Struct, frozen=True):
    scheme_id: str
    days: Days
    units: int = 1
    # The conditions of admission that enrollment knows to be broken (dues unpaid, member left).
    unmet: frozenset[str] = frozenset()


class PeriodKey(NamedTuple):
    """Whose period it is, and the lock to take before assessing into it."""

    member_id: UUID
    scheme_id: str
    starts: date


class Totals(msgspec.Struct, frozen=True):
    """All that a period remembers: what it owes follows from the sums alone."""

    burdens: Mapping[str, Fen] = {}
    granted: Fen = Fen(0)
    grants: int = 0
    # Used up of the same cap by aid that stands in other books.
    granted_elsewhere: Fen = Fen(0)


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line of the working: kept short, put into words when somebody asks."""

    step: str
    clause: str
    source: str
    amount_in: Fen
    amount_out: Fen
    facts: tuple[int | str, ...] = ()


class Counted(msgspec.Struct, frozen=True, gc=False):
    """What a settlement put into its period's sums: kept with it, to be taken out again."""

    kind: str
    burden: Fen


class Case(msgspec.Struct, frozen=True, gc=False):
    """A settlement that one plan of its member takes, ready to be worked out."""

    key: PeriodKey
    terms: Terms
    kind: KindTerms
    in_scope: Fen
    burden: Fen


class Reversal(msgspec.Struct, frozen=True, gc=False):
    """A settlement that is to leave the sums of its period again."""

    key: PeriodKey
    terms: Terms
    counted: Counted


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """What a settlement changes: the signed benefit is the grant to book, none where it is 0."""

    scheme_id: str
    verdict: Verdict
    benefit: Fen
    working: tuple[Step, ...]
    code: Reason | None = None
    # Only where the settlement touched a period.
    key: PeriodKey | None = None
    counted: Counted | None = None
    grant_no: int | None = None
    totals: Totals | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What became of one row."""

    setl_id: str
    status: str
    code: str | None = None
    benefit: Fen = Fen(0)
    claim_id: UUID | None = None
