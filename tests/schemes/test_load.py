"""A scheme file says one thing at every point, or it is refused with its line."""

import shutil
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.schemes.errors import SchemeFigureMissing, SchemeUnknown
from services.common.schemes.load import DATA, SchemeFileRefused, load, load_rulebook, read, schema
from services.common.schemes.rulebook import Rulebook
from services.common.schemes.terms import ExcessTerms
from tests.schemes.edits import Refused, check_refused, refusal, written

FILES = sorted(DATA.glob("*.yaml"))
SECONDS_OF_CPU = 0.5


def rulebook(*scheme_ids: str) -> Rulebook:
    return Rulebook(load(DATA / f"{scheme_id}.yaml") for scheme_id in scheme_ids)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scheme_file_is_accepted(path: Path) -> None:
    assert load(path).scheme_id == path.stem


def test_all_files_are_read_in_a_moment() -> None:
    begun = time.process_time()
    load_rulebook()
    assert time.process_time() - begun < SECONDS_OF_CPU


def test_the_figures_are_those_of_the_day() -> None:
    period_14 = rulebook("wh.medical").terms("wh.medical", "medical", date(2023, 10, 31))
    period_15 = rulebook("wh.medical").terms("wh.medical", "medical", date(2023, 11, 1))
    assert isinstance(period_14.formula, ExcessTerms)
    assert isinstance(period_15.formula, ExcessTerms)
    (before,), (after,) = period_14.formula.kinds, period_15.formula.kinds
    assert (before.floor.value, after.floor.value) == (800_000, 600_000)
    assert [band.rate for band in after.bands.value] == [Decimal("0.80"), Decimal("0.90")]
    assert period_15.days is not None
    assert period_15.days.starts == date(2023, 11, 1)


def test_a_figure_says_where_it_is_written_or_that_it_is_assumed() -> None:
    found = rulebook("wh.medical")
    sources = {
        named: figure.source
        for named in ("medical.inpatient.floor", "medical.cap", "rounding")
        if (figure := found.figure("wh.medical", f"{named}@2022-11-01")) is not None
    }
    assert sources == {
        "medical.inpatient.floor": "WH23",
        "medical.cap": "WH23, assumed",
        "rounding": "assumed",
    }


def test_a_figure_that_was_declared_missing_is_named_when_it_is_needed() -> None:
    with pytest.raises(SchemeFigureMissing, match=r"allowance\.per_day on 2023-01-01"):
        rulebook("wh.allowance").terms("wh.allowance", "allowance", date(2023, 1, 1))


def test_a_scheme_does_not_run_before_its_figures_begin() -> None:
    with pytest.raises(SchemeFigureMissing) as missing:
        rulebook("wh.medical").terms("wh.medical", "medical", date(2022, 10, 31))
    assert missing.value.scheme_id == "wh.medical"
    assert missing.value.day == date(2022, 10, 31)


def test_a_scheme_that_nobody_wrote_is_unknown() -> None:
    with pytest.raises(SchemeUnknown):
        rulebook().terms("cq.nothing", "medical", date(2018, 1, 1))


@pytest.mark.parametrize(
    "case",
    [
        Refused("wh.gig", "order: 33", "order: 33\norder: 34", "order: 34", "order stands twice"),
        Refused(
            "wh.gig",
            "        disease:",
            "        disease: []\n        disease:",
            "disease:",
            "benefits.hospital.formula.per_day: disease stands twice",
        ),
        Refused(
            "wh.gig",
            "valid_from: 2022-11-01",
            "valid_from: 2022-11-31",
            "2022-11-31",
            "enrolment.term_years[0].valid_from: day is out of range for month",
        ),
        Refused("wh.gig", "order: 33", "33.0: 33", "33.0", "33.0: 33.0 without quotation marks"),
        Refused(
            "wh.medical",
            'rate: "0.80"',
            "rate: 0.80",
            "rate: 0.80",
            "bands[0].value[0].rate: 0.80 without quotation marks",
        ),
        Refused("wh.gig", "order: 33", "order: [", "zh:", "did not find expected"),
        Refused("wh.gig", "order: 33", "order: *last", "order:", "undefined alias"),
        Refused("wh.gig", "order: 33", "order: \a33", "order:", "control characters"),
    ],
    ids=lambda case: case.reason,
)
def test_text_that_does_not_say_one_thing_is_refused(case: Refused) -> None:
    check_refused(case)


@pytest.mark.parametrize(
    ("content", "line"), [(b"", 1), (b"order: 1\nname: \xff", 2), (b"- order", 1)]
)
def test_what_is_no_scheme_at_all_is_refused(content: bytes, line: int) -> None:
    with pytest.raises(SchemeFileRefused) as refused:
        read(content, "x.yaml")
    assert refused.value.line == line


INPATIENT = "benefits.medical.formula.kinds.inpatient"


@pytest.mark.parametrize(
    "case",
    [
        Refused("wh.gig", "rounding:", "roundings:", "roundings:", "unknown field `roundings`"),
        Refused(
            "bj.mutual",
            "        outpatient:\n",
            "        outpatient:\n          ceiling: []\n",
            "ceiling: []",
            "kinds.outpatient: Object contains unknown field `ceiling`",
        ),
        Refused(
            "wh.medical",
            "value: self_pay_one",
            "value: self_pay_two",
            "self_pay_two",
            "benefits.medical.formula.base[0].value: Invalid enum value 'self_pay_two'",
        ),
        Refused(
            "wh.gig",
            "        traffic_accident:",
            "        flight:",
            "flight:",
            "benefits.hospital.formula.per_day.flight: Invalid enum value 'flight'",
        ),
        Refused("wh.gig", "type: graded", "type: rated", "rated", "accident.formula.type: Invalid"),
        Refused(
            "wh.gig",
            "    events: [disability, death]\n",
            "",
            "accident:",
            "benefits.accident: Object missing required field `events`",
        ),
        Refused("wh.gig", "order: 33", "order: first", "order:", "order: Expected `int`"),
        Refused(
            "wh.gig",
            "valid_from: 2022-11-01",
            'valid_from: "2022-11-01"',
            'valid_from: "',
            "enrolment.term_years[0].valid_from: Expected `date`, got `str`",
        ),
        Refused(
            "wh.medical",
            '"8000.00"',
            "8000",
            "value: 8000",
            f"{INPATIENT}.floor[0].value: an amount is text in yuan",
        ),
        Refused(
            "wh.medical",
            '"6000.00"',
            '"6,000"',
            '"6,000"',
            f"{INPATIENT}.floor[1].value: '6,000' is no amount in yuan",
        ),
        Refused("wh.medical", '"0.90"', '"90 %"', "90 %", "value[1].rate: Invalid decimal"),
        Refused("wh.gig", "scheme_id: wh.gig", "scheme_id: wh.gift", "wh.gift", "name of the file"),
    ],
    ids=lambda case: case.reason,
)
def test_what_the_model_does_not_know_is_refused(case: Refused) -> None:
    check_refused(case)


def refused_together(folder: Path, scheme_id: str, text: str) -> SchemeFileRefused:
    for path in FILES:
        shutil.copy(path, folder)
    (folder / f"{scheme_id}.yaml").write_text(text, "utf-8")
    with pytest.raises(SchemeFileRefused) as refused:
        load_rulebook(folder)
    return refused.value


@pytest.mark.parametrize(
    ("scheme_id", "old", "new"),
    [
        ("wh.medical", "[wh.allowance]", "[wh.hospital]"),
        ("wh.medical", "[wh.allowance]", "[wh.medical]"),
        ("ct.package", "ct.critical", "ct.crisis"),
    ],
)
def test_a_scheme_cannot_lean_on_one_that_is_not_there(
    tmp_path: Path, scheme_id: str, old: str, new: str
) -> None:
    text = written(scheme_id).replace(old, new)
    refused = refused_together(tmp_path, scheme_id, text)
    assert refused.file == f"{scheme_id}.yaml"
    assert refused.reason == f"{new.strip('[]')} is no other scheme"
    assert new in text.splitlines()[refused.line - 1]


def test_a_cap_is_shared_by_both_plans_or_by_none(tmp_path: Path) -> None:
    text = written("wh.medical").replace("      shared_with: [wh.allowance]\n", "")
    refused = refused_together(tmp_path, "wh.medical", text)
    assert refused.file == "wh.allowance.yaml"
    assert refused.reason == "wh.medical does not share its cap with wh.allowance"
    assert "[wh.medical]" in written("wh.allowance").splitlines()[refused.line - 1]


@given(st.data())
def test_a_file_with_a_line_lost_or_changed_is_read_or_refused_with_a_line(
    data: st.DataObject,
) -> None:
    path = data.draw(st.sampled_from(FILES))
    lines = path.read_text("utf-8").splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    word = st.sampled_from(["", "x", "[", "{a: 1}", "- 1", "2018-02-30", "0.5", "*a", "key:", "'"])
    lines[at : at + 1] = [lines[at] + part for part in data.draw(st.lists(word, max_size=2))]
    refused = refusal("\n".join(lines), path.name)
    assert refused is None or 1 <= refused.line <= len(lines) + 1


def test_editors_are_told_the_shape_of_a_file() -> None:
    shapes = schema()["$defs"]
    assert shapes["Figure_Amount_"]["properties"]["value"]["type"] == "string"
    assert shapes["Band"]["properties"]["rate"]["type"] == "string"
    assert shapes["Scheme"]["additionalProperties"] is False
