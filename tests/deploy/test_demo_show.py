"""What the demo prints can be read: lines of one width, no number torn, no code without words."""

import pytest

from deploy.demo import show, words
from deploy.demo.dataset import Dataset
from deploy.demo.make_data import DEMO_DIR

TEXT = "罗*您好,您的职工互助金3200.00元已于11月22日转入尾号0023的账户,请查收。咨询12351。"


def test_a_long_text_loses_nothing_and_tears_no_number() -> None:
    for room in range(12, 90):
        lines = list(show.broken(TEXT, room))
        assert "".join(lines) == TEXT
        assert any("3200.00" in line for line in lines)
        assert not any(line.startswith((",", "。", "元。")) for line in lines)


def test_what_is_longer_than_a_line_is_cut() -> None:
    assert list(show.broken("a" * 25, 10)) == ["a" * 10, "a" * 10, "a" * 5]


def test_columns_of_numbers_end_alike(capsys: pytest.CaptureFixture[str]) -> None:
    show.table([("计划", "核定"), ("北京", "6800.00 ✓"), ("重庆住院津贴", "0.00 ✓")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "  计划               核定",
        "  北京          6800.00 ✓",
        "  重庆住院津贴     0.00 ✓",
    ]


def test_every_refused_row_of_the_feed_has_words_for_its_code() -> None:
    codes = {one.code for one in Dataset(DEMO_DIR).truth if one.status == "refused"}
    assert codes <= words.CODES.keys()


def test_a_code_never_stands_without_words() -> None:
    assert words.coded("NAME_DIFFERS") == "户名与银行卡不符 NAME_DIFFERS"
    assert words.clause("para. 2") == "〔第2段〕"
    assert words.clause(None) == ""
