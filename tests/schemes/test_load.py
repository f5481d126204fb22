"""A scheme file says one thing at every point, or it is refused with the place."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.common.schemes.load import DATA, SchemeFileRefused, load, load_rulebook
from services.common.schemes.model import Rulebook, SchemeFigureMissing, SchemeUnknown

GOOD = (DATA / "bj.mutual.yaml").read_text("utf-8")
RULEBOOK = load_rulebook()


def edited(folder: Path, *changes: tuple[str, str]) -> Path:
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "bj.mutual.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_figures_are_those_of_the_day() -> None:
    of_2017 = RULEBOOK.terms("bj.mutual", date(2017, 12, 31))
    of_2018 = RULEBOOK.terms("bj.mutual", date(2018, 1, 1))
    assert (of_2017.benefit_cap.value, of_2018.benefit_cap.value) == (20_065_300, 20_000_000)
    assert of_2018.days.starts == date(2018, 1, 1)
    assert {k.kind: (k.deductible.value, k.ratio.value) for k in of_2018.kinds} == {
        "inpatient": (130_000, Decimal("0.80")),
        "outpatient": (180_000, Decimal("0.50")),
    }


def test_a_figure_says_where_it_is_written_or_that_it_is_assumed() -> None:
    terms = RULEBOOK.terms("bj.mutual", date(2018, 1, 1))
    assert terms.benefit_cap.source == "BJ18"
    assert terms.kinds[0].deductible.source == "BJ18, assumed"
    assert terms.rounding.source == "assumed"


def test_a_scheme_does_not_run_on_a_day_without_its_figures() -> None:
    with pytest.raises(SchemeFigureMissing) as missing:
        RULEBOOK.terms("bj.mutual", date(2016, 12, 31))
    assert missing.value.scheme_id == "bj.mutual"
    assert missing.value.figure == "benefit.kinds.inpatient.med_types"
    assert missing.value.day == date(2016, 12, 31)


def test_a_figure_that_is_left_out_is_named_when_it_is_needed(tmp_path: Path) -> None:
    path = edited(tmp_path, (GOOD[GOOD.index("  benefit_cap:") :], ""))
    rulebook = Rulebook([load(path)])
    with pytest.raises(SchemeFigureMissing, match=r"benefit\.benefit_cap on 2018-01-01"):
        rulebook.terms("bj.mutual", date(2018, 1, 1))


def test_a_scheme_that_nobody_wrote_is_unknown() -> None:
    with pytest.raises(SchemeUnknown):
        RULEBOOK.terms("cq.nothing", date(2018, 1, 1))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("valid_to: 2017-12-31", "valid_to: 2018-12-31", "benefit.benefit_cap: overlap on 2018-01"),
        ("valid_from: 2018-01-01", "valid_from: 2019-01-01", "gap from 2017-12-31 to 2019-01-01"),
        ("valid_to: 2017-12-31", "valid_to: 2016-12-31", "benefit_cap: ends before it begins"),
        ("      valid_to: 2017-12-31\n", "", "benefit.benefit_cap: overlap on 2018-01-01"),
        ("valid_to: 2017-12-31", "valid_to: 2017-06-30", "2017-06-30 lies inside a period"),
        ('value: "0.80"', 'value: "1.80"', "benefit.kinds.inpatient.ratio: 1.80 is no share"),
        ('value: "1300.00"', 'value: "-1.00"', "inpatient.deductible: an amount below zero"),
        ('value: "1300.00"', "value: 1300.00", "an amount is text in yuan"),
        ('value: "1300.00"', 'value: "1,300"', "'1,300' is no amount in yuan"),
        ('value: ["21"]', 'value: ["21", "11"]', "med_type 11 is inpatient and outpatient"),
        ("document: BJ17", "document: BJ16", "document BJ16 is not listed"),
        ("      clause: para. 4\n", "", "BJ17 is named without clause and quotation"),
        ("  rounding:", "  roundings:", "unknown field `roundings`"),
        ("value: self_pay_one", "value: self_pay_two", "Invalid enum value 'self_pay_two'"),
        ("scheme_id: bj.mutual", "scheme_id: bj.other", "bj.other is not the name of the file"),
        ("scheme_id: bj.mutual", "scheme_id: bj.mutual\nscheme_id: x", "scheme_id stands twice"),
        ("scheme_id: bj.mutual", "scheme_id: [", "while parsing"),
    ],
)
def test_what_is_wrong_is_refused_with_file_and_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    with pytest.raises(SchemeFileRefused) as refused:
        load(edited(tmp_path, (old, new)))
    assert refused.value.file == "bj.mutual.yaml"
    assert reason in refused.value.reason


def test_a_value_without_document_has_to_say_why_it_is_assumed(tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("      assumed: >-\n        the documents do not speak")]
    path = tmp_path / "bj.mutual.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SchemeFileRefused, match=r"benefit\.rounding: neither a document"):
        load(path)
