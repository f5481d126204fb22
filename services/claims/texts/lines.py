"""The working in words: why the amount is what it is, line by line, in Chinese and in English."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

import msgspec

from services.claims.model import Step
from services.claims.texts.words import WORDS, Language
from services.common.money import Fen, share, yuan
from services.common.schemes.errors import SchemeUnknown
from services.common.schemes.figures import Amount, Figure, in_force
from services.common.schemes.model import Benefit, Excess, Scheme, Sections, Words
from services.common.schemes.rulebook import Rulebook

# In front of the reason for a value that no document gives.
ASSUMED: Final = "assumed, because "
# Which of a step's facts is the rate of the amount that went in.
_RATES: Final = {"share": 0, "band": 0, "section": 1, "disability": 1, "death": 1}
# Steps that add up, and which of their facts is the exact sum so far, in yuan.
_SUMS: Final = {"section": 2, "band": 3}


class Line(msgspec.Struct, frozen=True):
    """One step in words; amounts are yuan, empty is what no document says.

    `since` is the first day that the clause holds on; `text` is both languages, Chinese first.
    """

    step: str
    clause: str
    source: str
    quote: str
    since: date | None
    amount_in: str
    amount_out: str
    text: str
    text_zh: str
    text_en: str

    def words(self, language: Language) -> str:
        return self.text_zh if language == "zh" else self.text_en


def why(working: Sequence[Step], scheme_id: str, rulebook: Rulebook) -> list[Line]:
    """Put a working into words; a scheme that is not known leaves out what only it can tell."""
    scheme = _scheme(scheme_id, rulebook)
    figures = [rulebook.figure(scheme_id, step.figure) for step in working]
    # All of them are in force on the day of the claim: it is not earlier than any first day.
    day = max((figure.valid_from for figure in figures if figure is not None), default=date.min)
    return [
        _line(_Told(step, figure, scheme, day))
        for step, figure in zip(working, figures, strict=True)
    ]


class _Told(NamedTuple):
    """A step with all that its words may draw on; `day` is one that all its figures hold on."""

    step: Step
    figure: Figure[Any] | None
    scheme: Scheme | None
    day: date

    @property
    def benefit(self) -> Benefit | None:
        return _benefit(self.step, self.scheme)

    @property
    def period(self) -> str:
        """Name the time over which the plan adds up or counts."""
        figures = () if self.benefit is None else self.benefit.period
        found = in_force(figures, self.day)
        return "cover_term" if found is None else found.value


class _Value:
    """A value inside a sentence: `{0:visits}` is looked up among the visits, `{0}` is as it is."""

    def __init__(self, value: object, told: _Told, language: Language) -> None:
        self._value = value
        self._told = told
        self._language: Language = language

    def __getattr__(self, field: str) -> "_Value":
        return _Value(getattr(self._value, field), self._told, self._language)

    def __format__(self, names: str) -> str:
        value = self._value
        if isinstance(value, Amount):
            return yuan(Fen(value))
        if names == "percent":
            return f"{(Decimal(str(value)) * 100).normalize():f}%"
        if not names:
            return str(value)
        codes = cast("tuple[str, ...]", value) if isinstance(value, tuple) else str(value).split()
        called = [_name(code, names, self._told, self._language) for code in codes or ("",)]
        return ("、" if self._language == "zh" else ", ").join(called)


def _line(told: _Told) -> Line:
    step, figure = told.step, told.figure
    zh, en = _text(told, "zh"), _text(told, "en")
    since = step.figure.partition("@")[2]
    return Line(
        step=step.step,
        clause=figure.clause if figure else "",
        source=_source(figure, told.scheme),
        quote=(figure.quote or "") if figure else "",
        since=date.fromisoformat(since) if since else None,
        amount_in=yuan(step.amount_in),
        amount_out=yuan(step.amount_out),
        text=f"{zh} {en}",
        text_zh=zh,
        text_en=en,
    )


def _source(figure: Figure[Any] | None, scheme: Scheme | None) -> str:
    if figure is None or scheme is None:
        return ""
    assumed = "" if figure.assumed is None else f"{ASSUMED}{figure.assumed}"
    if figure.document is None:
        return assumed
    document = scheme.documents[figure.document]
    title = f"{document.publisher} {document.published}《{document.title}》"
    return f"{title} ({assumed})" if assumed else title


def _text(told: _Told, language: Language) -> str:
    facts = [
        _Value(Amount(fact) if isinstance(fact, int) else fact, told, language)
        for fact in told.step.facts
    ]
    fields = {
        name: _Value(value, told, language) for name, value in _fields(told, language).items()
    }
    sentences = [getattr(words, language) for words in _sentences(told)]
    return ("" if language == "zh" else " ").join(s.format(*facts, **fields) for s in sentences)


def _sentences(told: _Told) -> list[Words]:
    """Choose what to say: the rule where it is known, then how it fell out."""
    words, step = WORDS.steps[told.step.step], told.step
    said: list[Words] = []
    if told.figure is not None:
        leaf = step.figure.partition("@")[0].rpartition(".")[2]
        keys = (leaf, told.figure.value if isinstance(told.figure.value, str) else "")
        said += [words[key] for key in keys if key in words][:1]
    amounts = _amounts(step)
    if "shared" in words and amounts[1] < amounts[0]:
        said.append(words["shared"])
    if step.facts[:1] and step.facts[0] in WORDS.names["missing"]:
        return [*said, WORDS.missing]
    own, total = _exact(step)
    fell_out = {
        "back": step.amount_out < 0,
        "zero": step.amount_out == 0,
        "none": amounts[-1:] == [0],
        "cut": step.amount_out < step.amount_in,
        "first": own == total,
        "apart": not step.figure,
        "aid": told.benefit is not None and not isinstance(told.benefit.formula, Excess),
    }
    key = next((key for key, holds in fell_out.items() if holds and key in words), "said")
    return [*said, words[key]]


def _fields(told: _Told, language: Language) -> dict[str, object]:
    """Give what a sentence may name besides the step's facts."""
    step, amounts = told.step, _amounts(told.step)
    own, total = _exact(step)
    rounded = WORDS.rounded if total != Decimal(step.amount_out) / 100 else WORDS.exact
    fields: dict[str, object] = {
        "step": step.step,
        "came": Amount(step.amount_in),
        "left": Amount(step.amount_out),
        "owed": Amount(-step.amount_out),
        "own": _decimal(own),
        "sum": getattr(rounded, language).format(exact=_decimal(total), left=yuan(step.amount_out)),
        "period": _name(told.period, "period", told, language),
        "rule": _rule(told),
    }
    if step.step == "share_of":
        fields["limit"] = _decimal(share(Fen(amounts[0]), Decimal(step.facts[1])) / 100)
    if step.step == "cap":
        fields["used"] = Amount(amounts[0] - amounts[1])
    return fields


def _rule(told: _Told) -> object:
    """Give the value of the step's figure; visits are those of all kinds of care together."""
    formula = None if told.benefit is None else told.benefit.formula
    if told.step.step == "visits" and isinstance(formula, Excess):
        kinds = (in_force(kind.visits, told.day) for kind in formula.kinds.values())
        return tuple(visit for kind in kinds if kind is not None for visit in kind.value)
    return None if told.figure is None else told.figure.value


def _amounts(step: Step) -> list[int]:
    return [fact for fact in step.facts if isinstance(fact, int)]


def _exact(step: Step) -> tuple[Decimal, Decimal]:
    """Give what a step's rate makes of its amount, and the sum with it, in yuan and exactly."""
    at = _RATES.get(step.step)
    if at is None:
        return Decimal(0), Decimal(step.amount_out) / 100
    own = share(step.amount_in, Decimal(step.facts[at])) / 100
    return own, Decimal(step.facts[_SUMS[step.step]]) if step.step in _SUMS else own


def _decimal(amount: Decimal) -> str:
    """Write yuan with two decimals, or with all that there are."""
    shown = amount.normalize()
    return f"{shown:.2f}" if shown == round(shown, 2) else f"{shown:f}"


def _name(code: str, names: str, told: _Told, language: Language) -> str:
    """Look a code up: whole, by a part of it, or as any other."""
    if names == "part":
        found = _part_name(code, told)
    else:
        known = WORDS.names[names]
        keys = (code, *reversed(code.split(".")), "*")
        found = next((known[key] for key in keys if key in known), None)
    return getattr(found or WORDS.code, language).format(code=code)


def _part_name(code: str, told: _Told) -> Words | None:
    """Find what a scheme calls a kind of care, a section of a bill, or the benefit itself."""
    benefit = told.benefit
    named: Mapping[str, Words] = {}
    match None if benefit is None else benefit.formula:
        case Excess(kinds=kinds):
            named = {key: kind.name for key, kind in kinds.items()}
        case Sections(sections=sections):
            named = {key: section.name for key, section in sections.items()}
        case _:
            pass
    if code in named:
        return named[code]
    return WORDS.names["visits"].get(code) if benefit is None else benefit.name


def _benefit(step: Step, scheme: Scheme | None) -> Benefit | None:
    return None if scheme is None else scheme.benefits.get(step.figure.partition(".")[0])


def _scheme(scheme_id: str, rulebook: Rulebook) -> Scheme | None:
    try:
        return rulebook.scheme(scheme_id)
    except SchemeUnknown:
        return None
