"""A member reads why the amount is what it is, in Chinese and in English."""

import ast
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
import yaml

from services.claims import rules, texts
from services.claims.model import Assessment, Brought, Coverage, Facts, Person, Step
from services.claims.rules.assess import assess
from services.claims.rules.cases import cases
from services.claims.rules.trial import try_cases
from services.claims.texts.lines import Line, why
from services.claims.texts.page import Explanation, as_text, part
from services.common.money import Fen
from services.common.period import Days
from services.common.schemes.figures import named_figures, ref
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import Base, CoverDay, PeriodKind, Visit, Window
from services.common.schemes.model import Cause as CauseOfCare
from services.common.schemes.terms import WHAT, WHO

RULEBOOK = load_rulebook()
WORDS = yaml.safe_load((Path(texts.__file__).parent / "words.yaml").read_text(encoding="utf-8"))
BJ18 = "工人日报 2018-07-12《医疗费“二次报销”成北京工会名片》"
LONG_COVERED = Days(date(2010, 1, 1))


def assessed(*schemes: str, groups: tuple[str, ...] = (), **said: Any) -> tuple[Assessment, ...]:  # noqa: ANN401 (facts by name)
    facts: dict[str, Any] = {
        "day": date(2024, 3, 9),
        "admission": date(2024, 3, 2),
        "visit": "inpatient",
    }
    person = Person(date(1980, 1, 1), "F", groups)
    covers = [Coverage(scheme_id, LONG_COVERED) for scheme_id in schemes]
    brought = cases(UUID(int=1), Facts(**(facts | said)), person, covers, RULEBOOK)
    assert isinstance(brought, Brought), brought
    (done,) = assess([brought], {})
    return done


def told(scheme_id: str, **said: Any) -> list[Line]:  # noqa: ANN401 (facts by name)
    (done,) = assessed(scheme_id, **said)
    return why(done.working, done.scheme_id, RULEBOOK)


def one(scheme_id: str, step: Step) -> Line:
    (line,) = why((step,), scheme_id, RULEBOOK)
    return line


def latest(scheme_id: str, name: str) -> str:
    """Name the figure that is in force now."""
    named = {each.name: each.figures for each in named_figures(RULEBOOK.scheme(scheme_id))}
    return ref(name, named[name][-1])


def step(
    scheme_id: str, name: str, figure: str, came: int, left: int, *facts: int | str
) -> tuple[str, Step]:
    at = latest(scheme_id, figure) if figure else ""
    return scheme_id, Step(name, at, Fen(came), Fen(left), facts)


# What no worked case of today's schemes leads to, but the engine can say.
BY_HAND = [
    step("bj.mutual", "psn_type", "admission.psn_type", 100, 0, "12"),
    step("bj.mutual", "psn_type", "admission.psn_type", 100, 0, ""),
    step("wh.gig", "groups", "admission.groups", 100, 0, ""),
    step("cq.relief", "relations", "family.relations", 0, 0, ""),
    step("ct.medical", "visits", "medical.visits", 100, 0, ""),
    step("ct.women", "sex", "admission.sex", 0, 0, "sex"),
    step("cq.allowance", "ages", "admission.ages", 0, 0, "born"),
    step("cq.allowance", "hospital_level_min", "daily.hospital_level_min", 0, 0, "hospital_level"),
    step("cq.allowance", "stay_days_min", "daily.stay_days_min", 0, 0, "admission"),
    step("wh.gig", "stay_days_min", "hospital.per_day.disease", 0, 0, "admission"),
    step("wh.gig", "causes", "", 0, 0, ""),
    step("wh.gig", "grade", "accident.grades", 2000000, 0, "grade"),
    step("ct.critical", "illnesses", "illness.illnesses", 0, 0, "diagnosis"),
    step("cq.relief", "once", "family.once", 0, 0, "event_id"),
    step("wh.gig", "one_accident", "accident.one_accident", 100, 100, 600000, 1400000),
    step("wh.gig", "daily", "hospital.same_day", 4000, 4000, "1", "disease"),
    step("", "coverage", "", 100, 0, "2024-03-09"),
    step("ct.medical", "waiting", "enrolment.waiting_days", 100, 0, "30", "2024-03-01"),
    step("wh.allowance", "cannot_run", "", 100, 0, "allowance.per_day"),
    step("wh.gig", "cannot_run", "", 100, 0, "hospital.per_day.disease"),
    step("ct.critical", "cannot_run", "", 100, 0, "critical_25"),
    step("", "never_counted", "", 230000, 0),
    step("bj.mutual", "taken_back", "medical.period", 230000, 70000, "outpatient", 300000),
    step("ct.medical", "taken_back", "medical.period", 230000, 0, "medical", 230000),
    step("bj.mutual", "granted_before", "medical.period", 0, -80000, 80000),
    step("bj.mutual", "own_cost", "", 80000, 50000, 200000, 150000),
    step("wh.medical", "cap", "medical.cap", 200, 200, 10000000, 9000000, 8999800),
    step("wh.medical", "cap", "medical.cap", 9999900, 9000000, 10000000, 9000000, 0),
    *(step("bj.mutual", base, "medical.base", 500000, 200000, 300000) for base in get_args(Base)),
]


def of_worked_cases() -> Iterator[tuple[str, Sequence[Step]]]:
    for scheme in RULEBOOK:
        for tried in try_cases(scheme, RULEBOOK):
            for done in tried.assessed:
                yield done.scheme_id, done.working


def all_workings() -> list[tuple[str, Sequence[Step]]]:
    return [*of_worked_cases(), *((scheme_id, (each,)) for scheme_id, each in BY_HAND)]


def steps_of_the_engine() -> set[str]:
    """Read from the engine's own text which steps it writes."""
    written: set[str] = set()
    for path in Path(rules.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                at = {"Step": 0, "Obstacle": 1}.get(node.func.id)
                name = None if at is None or at >= len(node.args) else node.args[at]
                if isinstance(name, ast.Constant):
                    written.add(str(name.value))
    return written | set(WHO) | set(WHAT) | set(get_args(Base)) | {"disability", "death"}


def test_there_are_words_for_every_step_that_the_engine_writes_and_for_no_other() -> None:
    assert set(WORDS["steps"]) == steps_of_the_engine()


def test_the_worked_cases_and_the_list_go_through_every_step() -> None:
    gone_through = {each.step for _, working in all_workings() for each in working}
    assert gone_through == set(WORDS["steps"])


def test_every_figure_that_a_step_names_is_found_in_the_rulebook() -> None:
    lost = {
        (scheme_id, each.figure)
        for scheme_id, working in all_workings()
        for each in working
        if each.figure and RULEBOOK.figure(scheme_id, each.figure) is None
    }
    assert lost == set()


def test_no_hole_no_code_and_no_other_language_is_left_in_a_sentence() -> None:
    for scheme_id, working in all_workings():
        for line in why(working, scheme_id, RULEBOOK):
            assert re.search(r"[A-Za-z{}_:;,()]", line.text_zh) is None, line
            assert re.search(r"[一-鿿{}_]|None|\bcode\b(?! \d)", line.text_en) is None, line
            assert (line.text_zh[-1], line.text_en[-1]) == ("。", "."), line
            assert line.text == f"{line.text_zh} {line.text_en}"


def test_every_code_that_a_scheme_may_write_has_a_name() -> None:
    names = WORDS["names"]
    for kind, field in ((Base, "bases"), (Visit, "visits"), (CauseOfCare, "causes")):
        assert set(get_args(kind)) - set(names[field]) == set()
    assert set(get_args(PeriodKind)) == set(names["period"])
    assert set(get_args(CoverDay)) - set(WORDS["steps"]["coverage"]) == set()
    assert set(get_args(Window.__annotations__["after"])) == set(names["window"])
    for scheme in RULEBOOK:
        for named in named_figures(scheme):
            field = named.name.rpartition(".")[2]
            for figure in named.figures:
                codes: dict[str, set[str]] = {
                    "standing": set(figure.value) if field == "standing" else set(),
                    "groups": set(figure.value.any_of) if field == "groups" else set(),
                    "relations": set(figure.value) if field == "relations" else set(),
                    "confirmed": {c.what for c in figure.value} if field == "confirmed" else set(),
                }
                assert codes.get(field, set()) - set(names.get(field, ())) == set(), named.name


def test_every_line_says_what_went_in_the_clause_as_it_stood_and_what_came_out() -> None:
    lines = told("bj.mutual", in_scope=Fen(280000), self_pay_one=Fen(230000))
    assert [(line.step, line.amount_in, line.amount_out) for line in lines] == [
        ("self_pay_one", "2800.00", "2300.00"),
        ("period_total", "2300.00", "2300.00"),
        ("floor", "2300.00", "1000.00"),
        ("share", "1000.00", "800.00"),
        ("all_kinds", "800.00", "800.00"),
        ("cap", "800.00", "800.00"),
        ("granted_before", "800.00", "800.00"),
    ]
    assert (lines[0].clause, lines[0].source, lines[0].since) == (
        "para. 2",
        BJ18,
        date(2017, 1, 1),
    )
    assert lines[0].quote == "在基本医疗保险报销后的“自付一”部分"
    assert lines[2].source == (
        f"{BJ18} (assumed, because a deductible is named, "
        "its amount is in neither document; sample value)"
    )
    assert lines[5].since == date(2018, 1, 1)
    assert [line.text_zh for line in lines] == [
        "医保范围内的费用2800.00元，医保基金支付500.00元，其余由个人负担的“自付一”为2300.00元。",
        "本年度住院的个人负担此前没有累计，加上本次共2300.00元。",
        "本年度扣一次起付线1300.00元，2300.00元中超出起付线的是1000.00元。",
        "这1000.00元按80%支付，为800.00元。",
        "本年度其他类别没有应得的互助金，合计800.00元。",
        "本年度最高支付200000.00元；累计应得800.00元，没有超过，之后还剩额度199200.00元。",
        "本年度此前没有支付过，本次支付800.00元。",
    ]
    assert lines[2].text_en == (
        "A deductible of 1300.00 yuan is taken off once in the calendar year: "
        "of 2300.00, 1000.00 lies above it."
    )


def test_the_cap_of_a_year_that_is_gone_is_told_from_its_own_document() -> None:
    line = told("bj.mutual", day=date(2017, 5, 1), self_pay_one=Fen(230000))[-2]
    assert (line.step, line.clause, line.since) == ("cap", "para. 4", date(2017, 1, 1))
    assert line.source.startswith("北京晚报 2017-12-13")
    assert line.quote == "the maximum mutual aid amount is 200653 yuan"
    assert "200653.00" in line.text


def test_a_value_that_no_document_gives_tells_why_it_stands_there() -> None:
    lines = told("wh.hardship", groups=("hardship",), self_pay_one=Fen(230000))
    (share,) = (line for line in lines if line.step == "share")
    assert share.source == (
        "assumed, because the article names no rate of this compensation; "
        "sample, all of what is left"
    )
    assert (share.clause, share.quote) == ("", "")


@pytest.mark.parametrize(
    ("scheme_id", "zh", "en"),
    [
        ("bj.mutual", "本年度", "the calendar year"),
        ("wh.medical", "本保障期", "the period of cover"),
    ],
)
def test_only_a_calendar_year_is_called_a_year(scheme_id: str, zh: str, en: str) -> None:
    lines = told(scheme_id, self_pay_one=Fen(900000))
    about = [line for line in lines if line.step in ("period_total", "floor", "cap")]
    assert [(zh in line.text_zh, en in line.text_en) for line in about] == [(True, True)] * 3
    assert any("年" in line.text_zh for line in lines) is (zh == "本年度")


def test_parts_of_a_fen_are_shown_before_they_are_rounded() -> None:
    share = told("bj.mutual", self_pay_one=Fen(130003))[3]
    assert share.text_zh == "这0.03元按80%支付，为0.024元，按分计0.02元。"
    sections = told("ct.medical", co_pay_pooled=Fen(1), co_pay_large_sum=Fen(10001))[:2]
    assert [line.text_zh for line in sections] == [
        "统筹段个人按比例自负0.01元，按70%支付，为0.007元，按分计0.01元。",
        "大额段个人按比例负担100.01元，按85%支付，为85.0085元；各项合计85.0155元，按分计85.02元。",
    ]


def test_who_is_not_covered_reads_the_rule_and_what_was_found() -> None:
    (line,) = told("cq.allowance", cause="accident")
    assert line.text_zh == "本项只保障：疾病。本次的起因是意外，不在保障范围内。"
    (line,) = told("bj.mutual", visit="41")
    assert line.text_en == (
        "Covered is: inpatient care, ordinary outpatient care, outpatient care for a special "
        "disease. This was code 41: not covered."
    )


def test_what_is_not_known_is_asked_for_beside_the_rule_that_asks() -> None:
    line = one(*step("cq.allowance", "ages", "admission.ages", 0, 0, "born"))
    assert line.text_zh == (
        "本计划保障16至60周岁的职工，年龄按保障期第一天计算。"
        "申请中缺少出生日期，无法判断；补齐后可以重新申请。"
    )
    line = one(*step("wh.gig", "stay_days_min", "hospital.per_day.disease", 0, 0, "admission"))
    assert line.text_zh == "申请中缺少入院日期，无法判断；补齐后可以重新申请。"


def test_a_cap_that_plans_share_says_what_the_others_have_used() -> None:
    cap = step("wh.medical", "cap", "medical.cap", 9999900, 9000000, 10000000, 9000000, 0)
    assert one(*cap).text_zh == (
        "本保障期的最高支付额由几个项目合用，其他项目已用10000.00元，还可用90000.00元。"
        "本保障期最高支付100000.00元；累计应得99999.00元，超过额度，只计90000.00元，额度用完。"
    )


def test_money_that_was_paid_too_much_is_not_called_a_payment() -> None:
    line = one(*step("bj.mutual", "granted_before", "medical.period", 0, -80000, 80000))
    assert line.text_zh == (
        "本年度应得0.00元，此前已支付800.00元，多付的800.00元要退回，或从以后的互助金中扣除。"
    )


def test_without_any_plan_the_day_is_named() -> None:
    (done,) = assessed()
    (line,) = why(done.working, done.scheme_id, RULEBOOK)
    assert (line.step, line.source, line.since) == ("coverage", "", None)
    assert line.text_zh == "2024-03-09这一天没有参加任何适用的互助计划。"


def test_a_working_of_a_scheme_that_is_not_known_any_more_is_still_told() -> None:
    (done,) = assessed("wh.medical", self_pay_one=Fen(4500000), in_scope=Fen(5000000))
    lines = why(done.working, "once.there", RULEBOOK)
    assert [line.amount_out for line in lines] == [
        line.amount_out for line in why(done.working, "wh.medical", RULEBOOK)
    ]
    assert {(line.clause, line.source, line.quote) for line in lines} == {("", "", "")}
    assert lines[1].text_zh == "本保障期住院的个人负担此前没有累计，加上本次共45000.00元。"
    assert lines[1].since == date(2022, 11, 1)
    assert part("once.there", "medical", done.working, Fen(0), RULEBOOK).name("zh") == "once.there"
    for scheme_id, working in all_workings():
        if scheme_id:
            why(working, "once.there", RULEBOOK)


def explained() -> Explanation:
    done = assessed(
        "wh.medical",
        "wh.hardship",
        groups=("hardship",),
        in_scope=Fen(2000000),
        self_pay_one=Fen(900000),
        own_cost=Fen(1000000),
    )
    parts = tuple(part(d.scheme_id, d.benefit_name, d.working, d.benefit, RULEBOOK) for d in done)
    return Explanation(UUID(int=1), "威海市中心医院", date(2024, 3, 9), parts)


def test_the_page_for_the_hotline_tells_each_plan_in_chinese_and_then_in_english() -> None:
    told = explained()
    zh, en = as_text(told).split("\n\nHow this aid was worked out\n")
    assert zh.startswith("职工医疗互助金计算说明\n编号：00000000-0000-0000-0000-000000000001\n")
    assert "医院：威海市中心医院\n日期：2024-03-09\n" in zh
    assert "计划：威海市职工医疗互助保险“惠工保”住院医疗项目 · 住院医疗互助金\n1. " in zh
    assert "   依据：大众报业·齐鲁壹点 2023-11-09" in zh
    assert "第7段；2023-11-01起适用；原文“起赔线由8000元下降至6000元”\n" in zh
    assert "进行‘二次报销’”；文件没有写明，暂按样本\n" in zh
    assert [line for line in zh.splitlines() if "互助金：" in line] == [
        "本计划互助金：2400.00元",
        "本计划互助金：6600.00元",
    ]
    assert "互助金合计：9000.00元\n" in zh
    assert "12351" in zh.splitlines()[-1]
    assert "Aid in all: 9000.00 yuan\n" in en
    assert "12351" in en.splitlines()[-1]
    for each in told.parts:
        for line in each.lines:
            assert f". {line.text_zh}\n" in zh
            assert f". {line.text_en}\n" in en


def test_what_no_plan_covers_has_a_page_too() -> None:
    (done,) = assessed()
    told = part(done.scheme_id, done.benefit_name, done.working, done.benefit, RULEBOOK)
    page = as_text(Explanation(UUID(int=1), "第1医院", date(2024, 3, 9), (told,)))
    assert "计划：没有适用的互助计划\n1. 2024-03-09这一天没有参加任何适用的互助计划。\n" in page
