"""The working in words: why the amount is what it is, line by line, in Chinese and in English."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from services.claims.model import Step
from services.common.money import Fen, yuan
from services.common.schemes.model import Scheme, Words

_TEXTS: Final[Mapping[str, Words]] = {
    "self_pay_one": Words(
        zh="政策范围内费用{came}元,其中基金支付{0}元,自付一为{left}元。",
        en="Of {came} in scope the funds paid {0}; self-pay one is {left}.",
    ),
    "period_total": Words(
        zh="本年度{0}自付一此前累计{1}元,加上本次共{left}元。",
        en="Self-pay one of the year's {0} care was {1} before; with this it is {left}.",
    ),
    "deductible": Words(
        zh="扣除起付线{0}元,超出部分为{left}元。",
        en="Above the deductible of {0} lie {left}.",
    ),
    "share": Words(
        zh="超出部分{came}元的{0}为{left}元。",
        en="{0} of {came} is {left}.",
    ),
    "all_kinds": Words(
        zh="加上本年度其他类别的{0}元,合计{left}元。",
        en="With {0} for the year's other kinds of care it is {left}.",
    ),
    "cap": Words(
        zh="年度最高互助金额{0}元,可用{1}元:应得{left}元,之后还剩{2}元。",
        en="The year's cap is {0}, of which {1} can be used: {left} is owed, {2} stays open.",
    ),
    "granted_before": Words(
        zh="减去本年度此前已发放的{0}元,本次为{left}元。",
        en="Less {0} granted before in the year: this time {left}.",
    ),
    "taken_back": Words(
        zh="本次结算已退费,{0}自付一累计由{1}元减为{left}元。",
        en="The settlement was taken back: self-pay one of {0} care goes from {1} to {left}.",
    ),
    "never_counted": Words(
        zh="本次结算已退费,此前未计入,互助金不变。",
        en="The settlement was taken back; it had not counted, so nothing changes.",
    ),
    "coverage": Words(
        zh="{0}不在保障期内。",
        en="There was no cover on {0}.",
    ),
    "admission": Words(
        zh="不符合参加条件({0}:{1})。",
        en="Not admitted to the scheme ({0}: {1}).",
    ),
    "visit": Words(
        zh="就诊类别{0}不在保障范围内。",
        en="Visits of type {0} are not covered.",
    ),
}


class Line(msgspec.Struct, frozen=True):
    step: str
    clause: str
    source: str
    amount_in: str
    amount_out: str
    text: str


def why(working: Sequence[Step], scheme: Scheme | None) -> list[Line]:
    """Put a working into words; a settlement without any cover has no scheme to name."""
    return [
        Line(
            step.step,
            step.clause,
            _source(step, scheme),
            yuan(step.amount_in),
            yuan(step.amount_out),
            _text(step, scheme),
        )
        for step in working
    ]


def _source(step: Step, scheme: Scheme | None) -> str:
    short, _, note = step.source.partition(", ")
    document = scheme.documents.get(short) if scheme else None
    if document is None:
        return step.source
    title = f"{document.publisher} {document.published}《{document.title}》"
    return f"{title} ({note})" if note else title


def _text(step: Step, scheme: Scheme | None) -> str:
    words = _TEXTS[step.step]
    kinds = {} if scheme is None else {n: k.name for n, k in scheme.benefit.kinds.items()}
    zh = _filled(words.zh, step, lambda fact: kinds[fact].zh if fact in kinds else fact)
    en = _filled(words.en, step, lambda fact: kinds[fact].en if fact in kinds else fact)
    return f"{zh} {en}"


def _filled(template: str, step: Step, named: Callable[[str], str]) -> str:
    facts = [yuan(Fen(fact)) if isinstance(fact, int) else named(fact) for fact in step.facts]
    if step.step == "share":
        facts = [f"{Decimal(fact):.2%}" for fact in facts]
    return template.format(*facts, came=yuan(step.amount_in), left=yuan(step.amount_out))
