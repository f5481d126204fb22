"""The slip is one page that a union can hand out and a machine can read."""

import asyncio
import re
import subprocess
import sys
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from pypdf import PageObject, PdfReader

from deploy.local.settings import ROOT
from services.claims.model import Step
from services.claims.texts.page import Explanation, Part, part
from services.claims.texts.slip import slip
from services.common.money import Fen
from services.common.schemes.load import load_rulebook

RULEBOOK = load_rulebook()
KILOBYTES_MAX = 100
A4 = (595, 842)

# A working of the schemes' own longest kind: two bands, other plans, the cap and what was paid.
STEPS = (
    Step("self_pay_one", "medical.base@2022-11-01", Fen(9380000), Fen(5300330), (4079670,)),
    Step(
        "period_total",
        "medical.period@2022-11-01",
        Fen(5300330),
        Fen(7600330),
        ("inpatient", 2300000),
    ),
    Step("floor", "medical.inpatient.floor@2023-11-01", Fen(7600330), Fen(7000330), (600000,)),
    Step(
        "band",
        "medical.inpatient.bands@2022-11-01",
        Fen(3400000),
        Fen(2720000),
        ("0.80", 600000, 4000000, "27200.0000"),
    ),
    Step(
        "cap",
        "medical.cap@2022-11-01",
        Fen(5960297),
        Fen(5960297),
        (10000000, 9000000, 3039703),
    ),
    Step("own_cost", "", Fen(5960297), Fen(4600297), (6000000, 1399703)),
    Step("granted_before", "medical.period@2022-11-01", Fen(5960297), Fen(4600297), (1360000,)),
)


def a_part(steps: int = 7, scheme_id: str = "wh.medical") -> Part:
    working = (STEPS * (1 + steps // len(STEPS)))[:steps]
    return part(scheme_id, "medical", working, Fen(4600297), RULEBOOK)


def an_explanation(*parts: Part, hospital: str = "威海市中心医院") -> Explanation:
    return Explanation(UUID(int=7), hospital, date(2024, 3, 9), parts)


async def pages(*parts: Part, hospital: str = "威海市中心医院") -> list[PageObject]:
    return list(PdfReader(BytesIO(await slip(an_explanation(*parts, hospital=hospital)))).pages)


def text(page: PageObject) -> str:
    """Give what a machine reads on the page, without the blanks of its lines."""
    return re.sub(r"\s", "", page.extract_text())


async def test_the_slip_says_all_that_the_explanation_says_in_text_that_can_be_copied() -> None:
    told = a_part()
    (page,) = await pages(told)
    read = text(page)
    for words in (
        "职工医疗互助金计算说明",
        "00000000-0000-0000-0000-000000000007",
        "威海市中心医院",
        "2024-03-09",
        "威海市职工医疗互助保险“惠工保”住院医疗项目",
        "大众报业·齐鲁壹点2023-11-09《威海18.09万职工通过“惠工保”获理赔,发放2.09亿元》",
        "第7段；2023-11-01起适用；原文“起赔线由8000元下降至6000元”",
        "互助金合计46002.97元",
        "12351",
        "所在单位工会",
    ):
        assert words in read
    for line in told.lines:
        assert line.text_zh in read
        assert line.amount_out in read
    assert "�" not in read


@pytest.mark.parametrize("steps", [1, 7, 14])
async def test_the_slip_is_one_page_of_a4_and_small(steps: int) -> None:
    pdf = await slip(an_explanation(a_part(steps)))
    (page,) = PdfReader(BytesIO(pdf)).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == A4
    assert len(pdf) < KILOBYTES_MAX * 1024


async def test_many_plans_and_steps_are_set_smaller_on_one_page_too() -> None:
    (page,) = await pages(a_part(14), a_part(14, "once.there"), a_part(14))
    assert "互助金合计138008.91元" in text(page)


async def test_the_font_travels_with_the_slip_as_the_glyphs_it_needs() -> None:
    (page,) = await pages(a_part())
    resources: Any = page["/Resources"]
    fonts = [font.get_object() for font in resources["/Font"].values()]
    names = [str(font["/BaseFont"]) for font in fonts]
    assert all(re.fullmatch(r"/[A-Z]{6}\+NotoSansSC-Regular.*", name) for name in names), names
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile3" in descriptor


async def test_rare_characters_of_a_hospital_are_set() -> None:
    (page,) = await pages(a_part(), hospital="龘䶮鑫垚淼社区卫生服务站")
    assert "龘䶮鑫垚淼社区卫生服务站" in text(page)


async def test_a_name_is_set_as_it_is_and_never_run() -> None:
    hospital = '#read("/etc/hostname") $1$ *第1* \\ "医院" {0} </text>'
    (page,) = await pages(a_part(), hospital=hospital)
    assert re.sub(r"\s", "", hospital) in text(page).replace("“", '"').replace("”", '"')


async def test_the_same_explanation_gives_the_same_bytes_from_several_threads_at_once() -> None:
    told = [an_explanation(a_part(steps)) for steps in (7, 8, 9, 10)]
    at_once = await asyncio.gather(*map(slip, told + told))
    one_by_one = [await slip(each) for each in told]
    assert at_once == one_by_one * 2


async def test_what_no_plan_covers_has_a_slip_too() -> None:
    step = Step("coverage", "", Fen(230000), Fen(0), ("2024-03-09",))
    (page,) = await pages(part("", "", (step,), Fen(0), RULEBOOK))
    assert "没有适用的互助计划" in text(page)
    assert "互助金合计0.00元" in text(page)


def test_the_typesetter_is_not_loaded_before_somebody_asks_for_a_slip() -> None:
    program = (
        "import sys, services.claims.texts.slip; "
        "print([name for name in ('typst', 'pylopdf_fonts_zh_cn') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True
    )
    assert done.stdout.strip() == b"[]"
