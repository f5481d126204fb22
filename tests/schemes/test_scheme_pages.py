"""The pages of the schemes are whole: no hole, no link into nothing, no number without a unit."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from deploy.docs.schemes.matrix import Paragraphs, matrix, paragraphs
from deploy.docs.schemes.pages import pages
from deploy.docs.schemes.values import in_words, rule
from deploy.docs.schemes.words import latest
from deploy.local.settings import ROOT
from services.common.schemes.figures import Amount, Figure, named_figures
from services.common.schemes.load import load_rulebook
from services.common.schemes.model import Ages, Band, Confirmation, Scheme, WorkedCase

RULEBOOK = load_rulebook()
PAGES = pages()
MEDICAL = RULEBOOK.scheme("wh.medical")
OVERVIEW = "docs/schemes/README.md"
LINK = re.compile(r"\]\(([\w.-]+\.md)(?:#([\w-]+))?\)")


def holes(
    scheme: Scheme = MEDICAL, counted: Mapping[str, Paragraphs] | None = None
) -> tuple[str, ...]:
    """Give what is wrong where one scheme of the book is another than in its file."""
    others = [each for each in RULEBOOK if each.scheme_id != scheme.scheme_id]
    return matrix([*others, scheme], paragraphs() if counted is None else counted).holes


def with_cases(scheme: Scheme, cases: Sequence[WorkedCase]) -> Scheme:
    return msgspec.structs.replace(scheme, cases=tuple(cases))


def counted(document: str, last: int, without_figure: Mapping[int, str]) -> dict[str, Paragraphs]:
    return {**paragraphs(), document: Paragraphs(last, dict(without_figure))}


def page_of(scheme_id: str) -> str:
    return PAGES[f"docs/schemes/{scheme_id}.md"]


def test_every_scheme_has_a_page_and_the_folder_holds_nothing_else() -> None:
    schemes = {f"docs/schemes/{scheme.scheme_id}.md" for scheme in RULEBOOK}
    assert set(PAGES) == {OVERVIEW, *schemes}
    there = {file.relative_to(ROOT).as_posix() for file in (ROOT / "docs/schemes").iterdir()}
    assert there == set(PAGES)


def test_there_is_no_hole_in_the_matrix() -> None:
    assert holes() == ()


def test_a_figure_that_no_case_shows_is_a_hole() -> None:
    shows = "enrolment.fee.union"
    kept = [case for case in MEDICAL.cases if shows not in case.shows]
    assert f"wh.medical: no case shows {shows}@2022-11-01" in holes(with_cases(MEDICAL, kept))


def test_a_case_that_shows_no_figure_is_a_hole() -> None:
    idle = WorkedCase(id="idle", shows=(), why="it is about nothing")
    found = holes(with_cases(MEDICAL, [*MEDICAL.cases, idle]))
    assert found == ("wh.medical: idle shows no figure",)


def test_a_missing_figure_that_no_case_shows_is_a_hole() -> None:
    allowance = RULEBOOK.scheme("wh.allowance")
    silent = [
        msgspec.structs.replace(case, shows=tuple(set(case.shows) - set(allowance.missing)))
        for case in allowance.cases
    ]
    assert holes(with_cases(allowance, silent)) == (
        "wh.allowance: no case shows that allowance.per_day is missing",
        "wh.allowance: no case shows that allowance.same_day is missing",
    )


def test_a_document_that_no_figure_is_written_in_is_a_hole() -> None:
    documents = {**MEDICAL.documents, "BJ17": RULEBOOK.scheme("bj.mutual").documents["BJ17"]}
    scheme = msgspec.structs.replace(MEDICAL, documents=documents)
    assert holes(scheme) == ("wh.medical: no figure is written in BJ17",)


def test_one_name_for_two_documents_is_a_hole() -> None:
    other = msgspec.structs.replace(MEDICAL.documents["WH23"], published=date(2023, 11, 10))
    found = holes(msgspec.structs.replace(MEDICAL, documents={"WH23": other}))
    assert "wh.gig: WH23 is another document elsewhere" in found


@pytest.mark.parametrize(
    ("last", "without_figure", "hole"),
    [
        (8, {}, "WH23 para. 3: no figure, and no reason why not"),
        (8, {3: "", 5: ""}, "WH23 para. 5: a figure, and a reason why there is none"),
        (7, {3: ""}, "WH23: a figure cites para. 8, which it does not have"),
    ],
)
def test_a_paragraph_is_used_or_explained(
    last: int, without_figure: Mapping[int, str], hole: str
) -> None:
    assert holes(counted=counted("WH23", last, without_figure)) == (hole,)


def test_the_paragraphs_of_every_document_are_counted_and_of_no_other() -> None:
    known = dict(paragraphs())
    known["XX99"] = known.pop("BJ17")
    assert holes(counted=known) == (
        "XX99: its paragraphs are counted, and no scheme knows it",
        "BJ17: nobody has counted its paragraphs",
    )


def test_every_link_leads_to_a_page_and_to_a_place_on_it() -> None:
    lost = [
        f"{name} links to {page}#{place}"
        for name, text in PAGES.items()
        for page, place in LINK.findall(text)
        if f"docs/schemes/{page}" not in PAGES
        or (place and f'id="{place}"' not in PAGES[f"docs/schemes/{page}"])
    ]
    assert lost == []


def test_every_figure_stands_once_in_the_matrix_with_its_cases() -> None:
    for scheme in RULEBOOK:
        count = sum(len(named.figures) for named in named_figures(scheme))
        row = rf"^\| \[`{re.escape(scheme.scheme_id)}`\]\([\w.]+\) \| `[\w.]+@.*\.md#"
        assert len(re.findall(row, PAGES[OVERVIEW], re.MULTILINE)) == count


def test_every_worked_case_stands_on_its_page_with_what_it_earns() -> None:
    for scheme in RULEBOOK:
        page = page_of(scheme.scheme_id)
        for case in scheme.cases:
            assert page.count(f'id="{case.id}"') == 1
        for claim in (claim for case in scheme.cases for claim in case.claims):
            assert f"| {claim['benefit']} |" in page


def test_the_working_stands_beside_a_claim_in_both_languages() -> None:
    page = page_of("bj.mutual")
    assert "236597.50元中超出起付线的是235297.50元" in page
    assert "80% of these 235297.50 yuan is 188238.00." in page


def test_both_editions_of_a_figure_are_told_with_their_days() -> None:
    page = page_of("wh.medical")
    assert "超过8000.00元（2022-11-01至2023-10-31）、6000.00元（2023-11-01起）的部分" in page
    assert (
        "of what exceeds 8000.00 yuan (2022-11-01 to 2023-10-31), 6000.00 yuan (from 2023-11-01)"
        in page
    )


def test_the_overview_tells_the_last_edition_alone() -> None:
    assert "of what exceeds 6000.00 yuan;" in PAGES[OVERVIEW]
    now = latest(MEDICAL)
    assert all(
        len(named.figures) == 1 and named.figures[0].valid_to is None
        for named in named_figures(now)
    )


def test_a_sample_is_marked_wherever_it_is_told() -> None:
    assumed = Figure(value=Amount(130000), valid_from=date(2017, 1, 1), assumed="a sample")
    given = msgspec.structs.replace(assumed, assumed=None, document="BJ18")
    assert rule("medical.cap", [assumed], period=in_words("x.period", "named")).zh.endswith("元†")
    assert "†" not in rule("medical.cap", [given], period=in_words("x.period", "named")).zh


def test_what_cannot_run_says_what_it_lacks() -> None:
    assert "**Does not run: it lacks `allowance.per_day`, `allowance.same_day`." in page_of(
        "wh.allowance"
    )
    assert "**Runs, but lacks `condolence.per_unit`." in page_of("cq.relief")


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        ("medical.cap", Amount(20065300), "200653.00元", "200653.00 yuan"),
        ("enrolment.participation.rate", Decimal("0.80"), "80%", "80 %"),
        ("medical.large_sum.rate", Decimal("0.855"), "85.5%", "85.5 %"),
        ("enrolment.term_years", 1, "1年", "1 year"),
        ("enrolment.waiting_days", 30, "30天", "30 days"),
        ("includes.ct.medical", 2, "2份", "2 shares"),
        ("daily.hospital_level_min", 2, "二级", "level 2"),
        ("admission.ages", Ages(youngest=16, oldest=60), "16至60周岁", "16 to 60 years"),
        ("critical_25", ("C00-C43", "I69"), "2组编码", "2 codes and ranges"),
        ("hardship.confirmed", (), "无须审核确认", "nothing needs to be confirmed"),
        ("family.relations", ("spouse", "child"), "配偶或子女", "spouse or child"),
    ],
)
def test_a_value_is_told_with_its_unit(name: str, value: object, zh: str, en: str) -> None:
    words = in_words(name, value)
    assert words.zh.startswith(zh)
    assert words.en.startswith(en)


def test_bands_and_confirmations_are_told_in_sentences() -> None:
    bands = (Band(rate=Decimal("0.80"), to=Amount(4000000)), Band(rate=Decimal("0.90")))
    assert in_words("x.bands", bands).en == "80 % up to a sum of 40000.00 yuan and 90 % above it"
    asked = Confirmation(
        what="listed_illness", otherwise="NOT_COVERED_DISEASE", groups=("hardship:women",)
    )
    assert in_words("x.confirmed", (asked,)).zh == "困难女职工须经审核确认：疾病在病种目录内"


def test_no_page_shows_a_placeholder_or_what_only_a_program_reads() -> None:
    for name, text in PAGES.items():
        assert not re.search(r"[{}]|\bNone, |\bTrue\b|\bFalse\b|Words\(", text), name


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    for name, text in PAGES.items():
        for block in text.split("\n\n"):
            rows = [line for line in block.splitlines() if line.startswith("|")]
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1, name
