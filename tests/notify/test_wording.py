"""The words: approved templates, counted as the carrier counts, with no person in full."""

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.model import TemplateName
from services.notify.texts import wording
from services.notify.texts.wording import BadTemplate, parts, short_name

WORDING = wording.load("职工互助")
APPROVED = Path(__file__).parents[2] / "deploy" / "sandbox" / "sms" / "templates.json"


@given(st.text(max_size=500))
def test_a_text_has_as_many_parts_as_the_carrier_charges(content: str) -> None:
    charged, rest = 1, len(content) - 70
    if rest > 0:
        charged = 0
        rest = len(content)
        while rest > 0:
            charged, rest = charged + 1, rest - 67
    assert parts(len(content)) == charged


@pytest.mark.parametrize(
    ("length", "charged"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3), (160, 3)]
)
def test_the_first_part_holds_70_and_each_of_several_67(length: int, charged: int) -> None:
    assert parts(length) == charged


def test_the_warm_reminder_reads_as_the_domain_has_it_and_is_one_part() -> None:
    values = {"name": "张*", "amount": "1234.56", "date": "7月12日", "tail": "0018"}
    content = WORDING.content("payout_paid", values)
    assert content == (
        "【职工互助】张*您好,您的职工互助金1234.56元已于7月12日转入尾号0018的账户,请查收。"
        "咨询12351。"
    )
    assert parts(len(content)) == 1


@pytest.mark.parametrize("name", get_args(TemplateName))
def test_our_words_are_the_ones_that_the_provider_approved(name: TemplateName) -> None:
    template = WORDING.templates[name]
    approved = json.loads(APPROVED.read_text(encoding="utf-8"))["templates"][template.code]
    assert template.words.replace("{", "${") == approved


@given(st.dictionaries(st.sampled_from(sorted(wording.FIELDS)), st.text(max_size=80)))
def test_no_variable_is_longer_than_the_provider_takes(some: dict[str, str]) -> None:
    values = dict.fromkeys(wording.FIELDS, "") | some
    for template in WORDING.templates.values():
        assert all(len(value) <= 35 for value in template.variables(values).values())


@given(st.text())
def test_a_value_is_never_read_as_a_template(name: str) -> None:
    values = {"name": name + "{code}", "amount": "1.00", "date": "", "tail": "0018"}
    assert name + "{code}" in WORDING.templates["payout_paid"].fill(values)


def test_the_longest_text_about_what_did_not_arrive_stays_within_two_parts() -> None:
    for reason in WORDING.reasons.values():
        values = {
            "name": "欧阳*",
            "officer": "张*",
            "amount": "99999999.99",
            "reason": reason,
            "tail": "0018",
            "date": "12月31日",
            "mend": "0123456789",
            "life": "30",
            "days": "365",
        }
        for name in set(get_args(TemplateName)) - {"payout_paid", "login_code"}:
            assert parts(len(WORDING.content(name, values))) <= 2


@pytest.mark.parametrize(
    ("surname", "said"),
    [("张", "张*"), ("欧阳", "欧阳*"), ("张三丰五六", "会员"), ("http://a", "会员"), ("", "会员")],
)
def test_only_a_plain_surname_is_said(surname: str, said: str) -> None:
    assert short_name(surname) == said


def test_a_reason_that_is_not_listed_is_said_in_general_words() -> None:
    assert WORDING.reason("ANYTHING") == "银行退回"


def test_a_code_for_a_template_that_we_do_not_have_is_refused() -> None:
    with pytest.raises(BadTemplate):
        wording.load("职工互助", {"birthday": "SMS_1"})


def test_an_installation_has_template_codes_of_its_own() -> None:
    own = wording.load("职工互助", {"payout_paid": "SMS_250000001"})
    assert own.templates["payout_paid"].code == "SMS_250000001"
