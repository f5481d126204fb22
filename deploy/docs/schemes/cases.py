"""Worked cases as a reader follows them: what was claimed, what it earns, and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple, cast

from deploy.docs.schemes import names
from deploy.docs.schemes.words import DICTIONARY, both, in_table, listed, put, same, table
from services.claims.rules.trial import AMOUNTS, Tried
from services.claims.texts.lines import why
from services.common.schemes.model import Scheme, Words, WorkedCase
from services.common.schemes.rulebook import Rulebook

_OUTPUTS: Final = ("payee", "benefit", "code")
# What stands in a row of its own for every claim.
_ALWAYS: Final = AMOUNTS | {"admission", "day", "benefit", "code"}
_YUAN: Final = AMOUNTS | {"aided", "benefit"}
# Where the codes of a claim or of a member are called by their names.
_CODED: Final = {
    "visit": "visits",
    "cause": "causes",
    "relation": "relations",
    "psn_type": "psn_type",
    "insutype": "insutype",
    "hospital_level": "levels",
    "sex": "sex",
    "groups": "groups",
    "unmet": "standing",
}
# What a claim that does not say is about.
_UNSAID: Final = {"event": "treatment"}
# Whose value says by itself what it is.
_SELF_SAID: Final = frozenset({"event", "visit", "confirmed"})
# So many workings are shown of a case; of more the first ones and the last.
_WORKINGS_MAX: Final = 6


class _Working(NamedTuple):
    """A working in words, with the claims of a case that it is the same for."""

    claims: list[int]
    result: str
    lines: tuple[str, ...]


def of_claims(scheme: Scheme, tried: Sequence[Tried], rulebook: Rulebook) -> Iterator[str]:
    """Give the cases with claims, each folded; `tried` is the scheme's cases, run."""
    for case in scheme.cases:
        if not case.claims:
            continue
        done = [one for one in tried if one.case_id == case.id and one.claim]
        yield f'<details id="{case.id}"><summary><code>{case.id}</code>: {_summary(case)}</summary>'
        yield ""
        yield f"{_opening(case)}  "
        yield f"Figures 数据: {', '.join(f'`{name}`' for name in case.shows)}  "
        alike = _alike(case.claims)
        for head, said in (("cover", case.cover), ("person", case.person), ("each", alike)):
            if said:
                yield _facts(head, said)
        yield ""
        yield from _claims([{k: v for k, v in c.items() if k not in alike} for c in case.claims])
        yield from _workings(scheme, done, rulebook)
        yield "</details>"
        yield ""


def of_joining(scheme: Scheme) -> list[str]:
    """Give the cases about joining and about the time to pay, in one table."""
    rows = [
        (
            f'<a id="{case.id}"></a>`{case.id}`',
            _told_of(case.joining, _ASKED),
            _told_of(case.joining, _ANSWERED),
            in_table(case.why),
        )
        for case in scheme.cases
        if case.joining
    ]
    return table(["case 算例", "asked 情形", "answer 结果", "why 计算"], rows) if rows else []


_ASKED: Final = ("units", "new_member", "staff", "accepted_on", "joined_on")
_ANSWERED: Final = ("total", "code", "admitted", "due", "ends_on")


def _told_of(said: Mapping[str, Any], parts: Iterable[str]) -> str:
    fields = {name: same(value) for name, value in said.items()}
    told: list[Words] = []
    for part in parts:
        if part not in said or (part == "new_member" and not said[part]):
            continue
        value = said[part]
        key = f"{part}.{str(value).lower()}" if isinstance(value, bool) else part
        told.append(put(DICTIONARY.joining[key], **fields))
    return both(listed(told))


def _opening(case: WorkedCase) -> str:
    return case.why[:1].upper() + case.why[1:] + "."


def _summary(case: WorkedCase) -> str:
    results = [_result(claim) for claim in case.claims]
    several = [(result, len(list(same_ones))) for result, same_ones in groupby(results)]
    shown = [f"{result} ({n} ×)" if n > 1 else result for result, n in several]
    if len(shown) > _WORKINGS_MAX:
        return f"{len(results)} claims"
    return "; ".join(shown)


def _result(claim: Mapping[str, Any]) -> str:
    payee = " to the family" if claim.get("payee") == "family" else ""
    paid = f"{claim['benefit']} yuan{payee}"
    return f"{paid}, {claim['code']}" if "code" in claim else paid


def _alike(claims: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Give what all of several claims say alike and need not be repeated in every row."""
    first, *others = claims
    return {
        name: value
        for name, value in first.items()
        if others
        and name not in _ALWAYS
        and all(name in claim and claim[name] == value for claim in others)
    }


def _facts(head: str, said: Mapping[str, Any]) -> str:
    words = DICTIONARY.inputs
    told = (_fact(name, _value(name, value)) for name, value in said.items())
    shown = listed(told)
    return f"{words[head].zh}：{shown.zh} / {words[head].en}: {shown.en}  "


def _fact(name: str, value: Words) -> Words:
    words = DICTIONARY.inputs[name]
    if "{value}" in words.zh or name == "renewed":
        return put(words, value=value)
    if name in _SELF_SAID:
        return value
    return Words(zh=f"{words.zh} {value.zh}", en=f"{words.en} {value.en}")


def _claims(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    there = {name for claim in claims for name in claim}
    columns = [name for name in DICTIONARY.inputs if name in there and name not in _OUTPUTS]
    columns += [name for name in _OUTPUTS if name in there]
    rows = [
        [str(number), *(_cell(name, claim.get(name, _UNSAID.get(name))) for name in columns)]
        for number, claim in enumerate(claims, 1)
    ]
    return table(["", *(_head(name) for name in columns)], rows)


def _head(name: str) -> str:
    unit = ", yuan" if name in _YUAN else ""
    return f"{DICTIONARY.inputs[name].zh}<br>{DICTIONARY.inputs[name].en}{unit}"


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    words = _value(name, value)
    return in_table(words.zh if words.zh == words.en else f"{words.zh} {words.en}")


def _value(name: str, value: object) -> Words:
    match value:
        case bool():
            return DICTIONARY.values["yes" if value else "no"]
        case dict():
            answers = cast("dict[str, bool]", value).items()
            return listed(
                put(
                    DICTIONARY.inputs["yes" if found else "no"],
                    value=names.called(what, "confirmed"),
                )
                for what, found in answers
            )
        case list():
            return listed(names.called(code, _CODED[name]) for code in cast("list[str]", value))
        case _ if name in _CODED:
            return names.called(str(value), _CODED[name])
        case _ if name == "event":
            return DICTIONARY.events[str(value)]
        case _ if name in {"payee", "code", "diagnosis"}:
            return DICTIONARY.values.get(str(value)) or same(f"`{value}`")
        case _:
            return same(value)


def _workings(scheme: Scheme, done: Sequence[Tried], rulebook: Rulebook) -> Iterator[str]:
    found: dict[tuple[str, tuple[str, ...]], _Working] = {}
    for one in done:
        assert one.agrees, f"{scheme.scheme_id}: {one.case_id} comes out otherwise"
        lines = tuple(_lines(scheme, one, rulebook))
        result = _result(one.expected)
        found.setdefault((result, lines), _Working([], result, lines)).claims.append(one.claim)
    workings = list(found.values())
    shown = workings
    if len(workings) > _WORKINGS_MAX:
        shown = [*workings[: _WORKINGS_MAX - 1], workings[-1]]
    for working in shown:
        if working is shown[-1] and shown is not workings:
            yield "The claims between are worked out in the same way. 其间各笔算法相同。"
            yield ""
        yield f"**{_numbers(working.claims)}**: {working.result}"
        yield ""
        yield from working.lines
        yield ""


def _numbers(claims: Sequence[int]) -> str:
    """Say which claims: runs of three and more as a range."""
    runs: list[list[int]] = []
    for claim in claims:
        if runs and claim == runs[-1][-1] + 1:
            runs[-1].append(claim)
        else:
            runs.append([claim])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _lines(scheme: Scheme, one: Tried, rulebook: Rulebook) -> Iterator[str]:
    if not one.assessed:
        refused = DICTIONARY.refusals[str(one.came["code"])]
        yield f"{refused.zh}<br>{refused.en}"
    for done in one.assessed:
        if done.scheme_id not in {"", scheme.scheme_id}:
            plan = rulebook.scheme(done.scheme_id).name
            yield f"[{plan.zh} {plan.en}]({done.scheme_id}.md)"
            yield ""
        for number, line in enumerate(why(done.working, done.scheme_id, rulebook), 1):
            yield f"{number}. {line.text_zh}<br>{line.text_en}"
