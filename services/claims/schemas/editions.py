"""Schemes as they stand, drafts of them, and what was published."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from services.claims.backtest.changes import Changed, Compared
from services.claims.rules.trial import Tried
from services.claims.schemas.benefits import Name
from services.claims.store.editions import Draft, Edition
from services.common.money import Fen, yuan
from services.common.schemes.figures import Amount, Figure, Named, named_figures
from services.common.schemes.model import Scheme, WorkedCase


class Dated(BaseModel):
    """Has a first and a last day, `from` and `to`, both included."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class SchemeListed(BaseModel):
    """A scheme; it runs today unless figures are `missing`. Edition 0 is the release's own."""

    scheme_id: str
    order: int
    name: Name
    edition: int
    runs: bool
    missing: list[str]

    @classmethod
    def of(cls, scheme: Scheme, edition: int, lacks: Sequence[str]) -> "SchemeListed":
        return cls(
            scheme_id=scheme.scheme_id,
            order=scheme.order,
            name=Name.of(scheme.name),
            edition=edition,
            runs=not lacks,
            missing=list(lacks),
        )


class Schemes(BaseModel):
    """In their declared order."""

    schemes: list[SchemeListed]


class FigureOut(Dated):
    """A figure from one day to another, where it is written, or why it is assumed."""

    figure: str
    value: Any
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date | None = Field(validation_alias="to", serialization_alias="to")
    clause: str
    document: str | None
    quote: str | None
    assumed: str | None


class DocumentOut(BaseModel):
    """A document that figures are taken from, under the short name that they use."""

    document: str
    title: str
    publisher: str
    published: date


class CaseOut(BaseModel):
    """A worked case; the figures that it `shows`, and why it comes out as it does."""

    id: str
    shows: list[str]
    why: str
    cover: dict[str, Any]
    person: dict[str, Any]
    claims: list[dict[str, Any]]
    joining: dict[str, Any]

    @classmethod
    def of(cls, case: WorkedCase) -> "CaseOut":
        return cls(**cast("dict[str, Any]", plain(case)))


class EditionOut(BaseModel):
    """What was published, by whom, and the backtest that was known then."""

    scheme_id: str
    number: int
    draft_id: UUID
    first_day: date | None
    drafted_by: UUID
    drafted_at: datetime
    published_by: UUID
    published_at: datetime
    backtest_id: UUID

    @classmethod
    def of(cls, edition: Edition) -> "EditionOut":
        return cls(**{name: getattr(edition, name) for name in cls.model_fields})


class DraftListed(BaseModel):
    """A draft and its author."""

    draft_id: UUID
    scheme_id: str
    drafted_by: UUID
    drafted_at: datetime

    @classmethod
    def of(cls, draft: Draft) -> "DraftListed":
        return cls(**{name: getattr(draft, name) for name in cls.model_fields})


class SchemeOut(SchemeListed):
    """A scheme with all its figures and worked cases, its editions and the newest drafts."""

    documents: list[DocumentOut]
    figures: list[FigureOut]
    cases: list[CaseOut]
    editions: list[EditionOut]
    drafts: list[DraftListed]

    @classmethod
    def whole(
        cls,
        listed: SchemeListed,
        scheme: Scheme,
        editions: Sequence[Edition],
        drafts: Sequence[Draft],
    ) -> "SchemeOut":
        return cls(
            **dict(listed),
            documents=[
                DocumentOut(document=short, **msgspec.structs.asdict(document))
                for short, document in scheme.documents.items()
            ],
            figures=[_figure(named, f) for named in named_figures(scheme) for f in named.figures],
            cases=[CaseOut.of(case) for case in scheme.cases],
            editions=[EditionOut.of(edition) for edition in editions],
            drafts=[DraftListed.of(draft) for draft in drafts],
        )


class DraftIn(BaseModel):
    """The text of the whole scheme file, as YAML."""

    model_config = ConfigDict(extra="forbid")
    content: str


class ChangeOut(Dated):
    """A figure that is another one on these days; null where there is none."""

    figure: str
    starts: date = Field(validation_alias="from", serialization_alias="from")
    ends: date | None = Field(validation_alias="to", serialization_alias="to")
    was: Any
    becomes: Any

    @classmethod
    def of(cls, changed: Changed) -> "ChangeOut":
        return cls(
            figure=changed.figure,
            starts=changed.starts,
            ends=changed.ends,
            was=plain(changed.was),
            becomes=plain(changed.becomes),
        )


class CaseDisagrees(BaseModel):
    """A claim of a worked case that gives something else by the draft's figures."""

    case_id: str
    claim: int
    expected: dict[str, Any]
    came: dict[str, Any]

    @classmethod
    def of(cls, tried: Tried) -> "CaseDisagrees":
        came = cast("dict[str, Any]", plain(tried.came))
        expected = cast("dict[str, Any]", plain(tried.expected))
        return cls(case_id=tried.case_id, claim=tried.claim, expected=expected, came=came)


class DraftOut(DraftListed):
    """What a draft changes; it can be published only where `touches_the_past` names nothing."""

    first_day: date | None
    changes: list[ChangeOut]
    cases_disagreeing: list[CaseDisagrees]
    touches_the_past: list[str]

    @classmethod
    def compared(cls, draft: Draft, found: Compared) -> "DraftOut":
        return cls(**_compared(draft, found))


class DraftSeen(DraftOut):
    """A draft with its text."""

    content: str

    @classmethod
    def whole(cls, draft: Draft, found: Compared) -> "DraftSeen":
        return cls(**_compared(draft, found), content=draft.content)


def plain(value: object) -> object:
    """Write a value of a scheme file as JSON holds it, amounts as yuan."""
    match value:
        case Amount():
            return yuan(Fen(value))
        case Decimal() | date():
            return str(value)
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case Mapping():
            items = cast("Mapping[str, object]", value).items()
            return {key: plain(inner) for key, inner in items}
        case list() | tuple():
            return [plain(inner) for inner in cast("Sequence[object]", value)]
        case _:
            return value


def _figure(named: Named, figure: Figure[Any]) -> FigureOut:
    return FigureOut(
        figure=named.name,
        value=plain(figure.value),
        starts=figure.valid_from,
        ends=figure.valid_to,
        clause=figure.clause,
        document=figure.document,
        quote=figure.quote,
        assumed=figure.assumed,
    )


def _compared(draft: Draft, found: Compared) -> dict[str, Any]:
    return {
        **DraftListed.of(draft).model_dump(),
        "first_day": found.first_day,
        "changes": [ChangeOut.of(change) for change in found.changes],
        "cases_disagreeing": [CaseDisagrees.of(case) for case in found.disagreeing],
        "touches_the_past": list(found.past),
    }
