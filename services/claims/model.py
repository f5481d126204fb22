"""The nouns of claims: a settlement, the cover it meets, what is owed for it, and why."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from services.common.identity import Diagnosis
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.model import Event
from services.common.schemes.terms import Terms


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
    """Why a claim that was assessed earns nothing, or less than its formula gives."""

    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    OCCUPATION_NOT_COVERED = "OCCUPATION_NOT_COVERED"
    AGE_LIMIT = "AGE_LIMIT"
    SEX_NOT_COVERED = "SEX_NOT_COVERED"
    RELATION_NOT_COVERED = "RELATION_NOT_COVERED"
    OUTSIDE_COVERAGE = "OUTSIDE_COVERAGE"
    WAITING_PERIOD = "WAITING_PERIOD"
    NOT_COVERED_CAUSE = "NOT_COVERED_CAUSE"
    NOT_COVERED_VISIT = "NOT_COVERED_VISIT"
    NOT_COVERED_DISEASE = "NOT_COVERED_DISEASE"
    NOT_FIRST_DIAGNOSIS = "NOT_FIRST_DIAGNOSIS"
    HOSPITAL_LEVEL = "HOSPITAL_LEVEL"
    STAY_TOO_SHORT = "STAY_TOO_SHORT"
    # The claim does not say what the rule asks; it can be claimed again with a statement.
    FACT_MISSING = "FACT_MISSING"
    # The plan lacks a figure on that day and cannot be worked out.
    SCHEME_FIGURE_MISSING = "SCHEME_FIGURE_MISSING"
    FREQ_LIMIT = "FREQ_LIMIT"
    ALREADY_PAID = "ALREADY_PAID"
    LATE_CLAIM = "LATE_CLAIM"
    AT_OR_BELOW_DEDUCTIBLE = "AT_OR_BELOW_DEDUCTIBLE"
    SHARES_CLAMPED = "SHARES_CLAMPED"
    CAP_PER_CLAIM = "CAP_PER_CLAIM"
    CAP_PER_EVENT = "CAP_PER_EVENT"
    CAP_POOLED_20PCT = "CAP_POOLED_20PCT"
    CAP_ANNUAL = "CAP_ANNUAL"
    CAP_PERIOD = "CAP_PERIOD"
    # All plans together have made good what the bills cost the member.
    CAP_OWN_COST = "CAP_OWN_COST"
    NOTHING_TO_ADD = "NOTHING_TO_ADD"


class Verdict(StrEnum):
    SETTLED = "settled"
    REJECTED = "rejected"
    REVERSED = "reversed"


# What happened to a claim that its grant was booked for.
Cause = Literal["settled", "reversed", "reassessed"]


class Refusal(msgspec.Struct, frozen=True):
    code: RefusalCode
    # The column or the scheme's figure that is at fault, where there is one.
    at: str = ""


class Person(msgspec.Struct, frozen=True, gc=False):
    """What rules ask of the member; None or empty where nobody knows."""

    born: date | None = None
    sex: Literal["F", "M"] | None = None
    groups: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True):
    """What a claim says, whichever plan looks at it; amounts in fen.

    `day` is the day of the event: of discharge, diagnosis, accident or death.
    """

    day: date
    event: Event = "treatment"
    admission: date | None = None
    claimed_on: date | None = None
    visit: str = ""
    cause: str = ""
    # An ICD-10 code.
    diagnosis: Diagnosis | None = None
    hospital_level: int | None = None
    in_scope: Fen = Fen(0)
    self_pay_one: Fen = Fen(0)
    pooled_paid: Fen = Fen(0)
    co_pay_pooled: Fen = Fen(0)
    co_pay_large_sum: Fen = Fen(0)
    self_pay_after_insurance: Fen = Fen(0)
    # All that the member paid, in scope or not.
    own_cost: Fen = Fen(0)
    # Of a disability, 1 to 10.
    grade: int | None = None
    in_hospital: bool = False
    relation: str = ""
    # What several claims may share: one accident, one illness of one person.
    event_id: str = ""
    # What somebody has looked into, and what was found.
    confirmed: Mapping[str, bool] = {}
    # Of settlements alone.
    psn_type: str | None = None
    insutype: str | None = None


class SettlementKey(NamedTuple):
    """What a settlement is known by, for ever."""

    fixmedins_code: str
    setl_id: str
    refund: bool


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """What claims works with of one row of the national settlement interface."""

    key: SettlementKey
    # Finds whose it is; the identity number itself stays with the row's texts.
    identity_index: bytes
    facts: Facts
    # Keyed hashes of 16 bytes. Of every value: same key, other hash means other content.
    content_hash: bytes
    # Of key, person and amounts, signs aside: equal for an original and its exact refund.
    mirror_hash: bytes


class Coverage(msgspec.Struct, frozen=True):
    scheme_id: str
    days: Days
    units: int = 1
    # The conditions of admission that enrollment knows to be broken (dues unpaid, member left).
    unmet: frozenset[str] = frozenset()
    # It follows on an earlier cover without a gap: nobody waits twice.
    renewed: bool = False


class PeriodKey(NamedTuple):
    """Whose period it is, and the lock to take before assessing into it."""

    member_id: UUID
    scheme_id: str
    starts: date


class Totals(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that a period remembers: what it owes follows from the sums alone.

    `sums` holds what claims put in, by kind of care, by benefit, by accident; `granted` and `paid`
    (the claims that earned something) are by benefit.
    """

    sums: Mapping[str, Fen] = {}
    granted: Mapping[str, Fen] = {}
    paid: Mapping[str, int] = {}
    grants: int = 0
    # What the bills that count here cost the member, and what earlier plans have paid for them.
    cost: Fen = Fen(0)
    aided: Fen = Fen(0)
    # Used up of the same cap by aid that stands in other books.
    granted_elsewhere: Fen = Fen(0)


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line of the working: kept short, put into words when somebody asks.

    `figure` names the figure of the scheme that the step follows, and the day it holds from.
    """

    step: str
    figure: str
    amount_in: Fen
    amount_out: Fen
    facts: tuple[int | str, ...] = ()


class Counted(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a claim put into its period's sums: kept with it, to be taken out again."""

    kind: str
    amount: Fen
    cost: Fen = Fen(0)
    # Whether it is one of the claims that a period counts, and under which event.
    paid: bool = False
    event_id: str = ""


class Case(msgspec.Struct, frozen=True, gc=False):
    """A claim that one plan of its member takes, ready to be worked out."""

    key: PeriodKey
    # Of the period, for the last day to claim.
    ends: date | None
    terms: Terms
    facts: Facts
    units: int


class Reversal(msgspec.Struct, frozen=True, gc=False):
    """A claim that is to leave the sums of its period again."""

    key: PeriodKey
    terms: Terms
    counted: Counted


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """What a claim changes under one plan: the signed benefit is the grant to book, if not 0."""

    scheme_id: str
    benefit_name: str
    verdict: Verdict
    benefit: Fen
    working: tuple[Step, ...]
    code: Reason | None = None
    payee: Literal["member", "family"] = "member"
    # Only where the claim touched a period.
    key: PeriodKey | None = None
    counted: Counted | None = None
    grant_no: int | None = None
    totals: Totals | None = None


class MadeGood(NamedTuple):
    """What all the bills cost that a member's indemnities count, and what these have granted."""

    cost: Fen
    granted: Fen


class Brought(NamedTuple):
    """A claim before all the plans that apply to it, in their declared order."""

    entries: tuple[Case | Reversal | Assessment, ...]
    # What plans that indemnify have granted for the same bill before.
    aided: Fen = Fen(0)
    # Of members with several indemnities: with this bill, or without it where it is taken back.
    bills: MadeGood | None = None


class InPlan(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one plan made of a claim, as kept with it; `starts` is of the period it entered."""

    scheme_id: str
    benefit_name: str
    code: str | None
    benefit: Fen
    starts: date | None = None
    counted: Counted | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What became of one row."""

    setl_id: str
    status: str
    code: str | None = None
    benefit: Fen = Fen(0)
    claim_id: UUID | None = None
