"""A rule book as dated data: who is admitted, what is paid, how much and how often."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec

from services.common.schemes.figures import Amount, Figure

# What happened that a benefit may be paid for.
Event = Literal[
    "treatment",
    "diagnosis",
    "disability",
    "death",
    "continued_treatment",
    "family_illness",
    "condolence",
]
Visit = Literal["inpatient", "special_disease_outpatient", "ordinary_outpatient"]
Cause = Literal["disease", "accident", "ordinary_accident", "traffic_accident"]
# The amounts of a bill that a rule may be about.
Base = Literal[
    "self_pay_one", "co_pay_pooled", "co_pay_large_sum", "pooled_paid", "self_pay_after_insurance"
]
CoverDay = Literal["admission", "day"]
PeriodKind = Literal["calendar_year", "cover_term", "named", "for_ever"]
# An indemnity makes good a cost and counts against what the cost was; the others do not.
Aid = Literal["indemnity", "allowance", "lump_sum"]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a scheme's file: a key that it does not know is refused."""


class Words(Part, frozen=True, kw_only=True):
    zh: str
    en: str


class Document(Part, frozen=True, kw_only=True):
    title: str
    publisher: str
    published: date


class Ages(Part, frozen=True, kw_only=True):
    """Completed years on the first day of cover, both included."""

    youngest: int
    oldest: int


class Groups(Part, frozen=True, kw_only=True):
    """One of the registers a member must stand in."""

    any_of: tuple[str, ...]
    otherwise: Literal["NOT_ELIGIBLE", "OCCUPATION_NOT_COVERED"]


class Confirmation(Part, frozen=True, kw_only=True):
    """What somebody has to confirm, of members of these groups or of all."""

    what: str
    otherwise: Literal["NOT_ELIGIBLE", "NOT_COVERED_DISEASE", "NOT_FIRST_DIAGNOSIS"]
    groups: tuple[str, ...] = ()


class Conditions(Part, frozen=True, kw_only=True):
    """Who and what is covered; the scheme's own apply to all its benefits."""

    # Codes of the national settlement interface, asked of settlements alone.
    psn_type: tuple[Figure[tuple[str, ...]], ...] = ()
    insutype: tuple[Figure[tuple[str, ...]], ...] = ()
    # What enrollment vouches for.
    standing: tuple[Figure[tuple[str, ...]], ...] = ()
    groups: tuple[Figure[Groups], ...] = ()
    ages: tuple[Figure[Ages], ...] = ()
    sex: tuple[Figure[Literal["F", "M"]], ...] = ()
    relations: tuple[Figure[tuple[str, ...]], ...] = ()
    causes: tuple[Figure[tuple[Cause, ...]], ...] = ()
    visits: tuple[Figure[tuple[Visit, ...]], ...] = ()
    # The name of one of the scheme's illness lists.
    illnesses: tuple[Figure[str], ...] = ()
    confirmed: tuple[Figure[tuple[Confirmation, ...]], ...] = ()
    hospital_level_min: tuple[Figure[int], ...] = ()
    stay_days_min: tuple[Figure[int], ...] = ()


class Band(Part, frozen=True, kw_only=True):
    """A rate up to an amount, or for all that lies above the bands before."""

    rate: Decimal
    to: Amount | None = None


class Kind(Part, frozen=True, kw_only=True):
    """A kind of care with its own floor and bands; without visits it takes every visit."""

    name: Words
    visits: tuple[Figure[tuple[Visit, ...]], ...] = ()
    floor: tuple[Figure[Amount], ...] = ()
    bands: tuple[Figure[tuple[Band, ...]], ...] = ()


class Excess(Part, frozen=True, kw_only=True, tag="excess", tag_field="type"):
    """A share of what the burden of a whole period exceeds a floor by: it accumulates."""

    base: tuple[Figure[Base], ...] = ()
    # Where true, what earlier plans have paid for the same bills is no burden any more.
    after_other_plans: tuple[Figure[bool], ...] = ()
    kinds: dict[str, Kind]


class Section(Part, frozen=True, kw_only=True):
    name: Words
    of: Base
    rate: tuple[Figure[Decimal], ...] = ()


class Sections(Part, frozen=True, kw_only=True, tag="sections", tag_field="type"):
    """Shares of parts of one bill, summed exactly and rounded once."""

    sections: dict[str, Section]


class Daily(Part, frozen=True, kw_only=True, tag="daily", tag_field="type"):
    """An amount for each day in hospital, by the cause of the stay."""

    per_day: dict[Cause, tuple[Figure[Amount], ...]] = {}
    # How many days a stay counts that ends on the day it began.
    same_day: tuple[Figure[int], ...] = ()


class Supplement(Part, frozen=True, kw_only=True):
    """Once more this amount, where a bill's amount exceeds a bound."""

    of: Base
    above: Amount
    amount: Amount


class LumpSum(Part, frozen=True, kw_only=True, tag="lump_sum", tag_field="type"):
    """A sum for each share held."""

    per_unit: tuple[Figure[Amount], ...] = ()
    supplement: tuple[Figure[Supplement], ...] = ()


class Graded(Part, frozen=True, kw_only=True, tag="graded", tag_field="type"):
    """A part of a maximum by degree of disability; all of one accident shares the maximum."""

    maximum_per_unit: tuple[Figure[Amount], ...] = ()
    in_hospital_maximum_per_unit: tuple[Figure[Amount], ...] = ()
    # Of the maximum, for grades 1 to 10.
    grades: tuple[Figure[tuple[Decimal, ...]], ...] = ()
    death: tuple[Figure[Decimal], ...] = ()
    one_accident: tuple[Figure[Literal["shares_the_maximum"]], ...] = ()


Formula = Excess | Sections | Daily | LumpSum | Graded


class ShareCap(Part, frozen=True, kw_only=True):
    of: Base
    rate: Decimal


class Window(Part, frozen=True, kw_only=True):
    """The last day to claim: so many days after the treatment or after the period."""

    after: Literal["discharge", "period_end"]
    days: int


class Limits(Part, frozen=True, kw_only=True):
    """What a benefit never exceeds."""

    # Over the period, over all kinds, together with the plans it is shared with.
    cap: tuple[Figure[Amount], ...] = ()
    shared_with: tuple[str, ...] = ()
    per_claim: tuple[Figure[Amount], ...] = ()
    share_of: tuple[Figure[ShareCap], ...] = ()
    claims_max: tuple[Figure[int], ...] = ()
    once: tuple[Figure[Literal["period", "illness"]], ...] = ()
    window: tuple[Figure[Window], ...] = ()


class Benefit(Part, frozen=True, kw_only=True):
    """One plan of a scheme: for what event, under what conditions, by what formula."""

    name: Words
    aid: Aid
    events: tuple[Event, ...]
    # The day that must lie in the cover.
    cover_day: tuple[Figure[CoverDay], ...] = ()
    # Over what time a member's claims add up or are counted.
    period: tuple[Figure[PeriodKind], ...] = ()
    conditions: Conditions = msgspec.field(default_factory=Conditions)
    formula: Formula
    limits: Limits = msgspec.field(default_factory=Limits)
    death_payee: tuple[Figure[Literal["member", "family"]], ...] = ()


class Membership(Part, frozen=True, kw_only=True):
    """A fee for entering an association, due once however many of its plans are joined."""

    association: str
    amount: tuple[Figure[Amount], ...] = ()


class Fee(Part, frozen=True, kw_only=True):
    """What a share costs for a term, by who pays it."""

    member: tuple[Figure[Amount], ...] = ()
    union: tuple[Figure[Amount], ...] = ()
    membership: Membership | None = None


class Participation(Part, frozen=True, kw_only=True):
    """How many of a unit's staff must join for anybody to be admitted."""

    rate: tuple[Figure[Decimal], ...] = ()
    all_below: tuple[Figure[int], ...] = ()


class Enrolment(Part, frozen=True, kw_only=True):
    """How a scheme is joined, for how long, and from when on it pays."""

    term_years: tuple[Figure[int], ...] = ()
    waiting_days: tuple[Figure[int], ...] = ()
    units_max: tuple[Figure[int], ...] = ()
    fee: Fee = msgspec.field(default_factory=Fee)
    participation: Participation | None = None
    # Whether a change of figures reaches a term that has begun.
    figures_of: tuple[Figure[Literal["event_day", "term_start"]], ...] = ()


class WorkedCase(Part, frozen=True, kw_only=True):
    """A worked example: claims of one member in their order, each with what it earns.

    `shows` names the figures it is about; `joins` and `inputs` are for rules about joining.
    """

    id: str
    shows: tuple[str, ...]
    why: str
    cover: dict[str, Any] = {}
    person: dict[str, Any] = {}
    claims: tuple[dict[str, Any], ...] = ()
    joining: dict[str, Any] = {}


class Scheme(Part, frozen=True, kw_only=True):
    scheme_id: str
    # Of all the plans that apply to a settlement the lower one is asked first.
    order: int
    name: Words
    documents: dict[str, Document]
    # Figures that no document gives and nobody assumes: what needs them refuses to run.
    missing: dict[str, str] = {}
    enrolment: Enrolment
    admission: Conditions = msgspec.field(default_factory=Conditions)
    periods: tuple[Figure[str], ...] = ()
    illness_lists: dict[str, tuple[Figure[tuple[str, ...]], ...]] = {}
    # The months within which a claim that was accepted is to be paid.
    processing_months: tuple[Figure[int], ...] = ()
    rounding: tuple[Figure[Literal["half_up"]], ...] = ()
    # A package is a share of each of these schemes.
    includes: dict[str, tuple[Figure[int], ...]] = {}
    benefits: dict[str, Benefit] = {}
    cases: tuple[WorkedCase, ...] = ()
