"""Rows become settlements, or are refused for the first thing that is wrong with them."""

from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.claims.errors import FeedMissingColumn
from services.claims.model import Refusal, RefusalCode, Settlement, SettlementKey
from services.claims.rows import (
    AMOUNTS,
    COLUMNS,
    KEY_CHARS_MAX,
    OPTIONAL,
    REQUIRED,
    TEXT_CHARS_MAX,
    RowReader,
    texts_of,
)
from tests.claims.settlements import HASH_KEY, IDENTITY, READER, a_row, a_settlement

ANYTHING = st.one_of(
    st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text())
)


def reader(header: Sequence[str]) -> RowReader:
    return RowReader(header, hash_key=HASH_KEY, identity=IDENTITY)


def judged(row: Mapping[str, object]) -> Settlement | Refusal:
    return READER.read(texts_of(row))


def refused(**changed: object) -> tuple[str, str]:
    read = judged(a_row() | changed)
    assert isinstance(read, Refusal), read
    return read.code.value, read.at


def a_refund(**changed: str) -> dict[str, str]:
    row = a_row()
    taken_back = {name: f"-{row[name]}" for name in AMOUNTS}
    return row | taken_back | {"refd_setl_flag": "1"} | changed


def test_a_good_row_is_read_whole() -> None:
    read = a_settlement("2000.00")
    assert read.key == SettlementKey("H1", "S1", refund=False)
    assert read.identity_index == IDENTITY.of("110101199003070011")
    assert (read.facts.admission, read.facts.day) == (date(2024, 3, 1), date(2024, 3, 9))
    assert (read.facts.in_scope, read.facts.self_pay_one) == (250000, 200000)


def test_a_settlement_prints_nothing_that_names_a_person() -> None:
    shown = repr(a_settlement())
    assert not any(secret in shown for secret in ("110101199003070011", "张国强", "C34", "肿瘤"))


@pytest.mark.parametrize("column", REQUIRED)
def test_every_starred_field_has_to_be_there(column: str) -> None:
    assert refused(**{column: ""}) == ("MISSING_FIELD", column)
    assert refused(**{column: None}) == ("MISSING_FIELD", column)


def test_the_other_fields_may_be_empty() -> None:
    assert isinstance(judged(a_row() | dict.fromkeys(OPTIONAL, "")), Settlement)


@pytest.mark.parametrize(
    "amount", ["12,00", "1.234", "1e3", "１.00", "--1", "12345678901", 1.5, [1]]
)
@pytest.mark.parametrize("column", ["inscp_scp_amt", "copay_large_sum"])
def test_an_amount_is_plain_digits_or_the_row_is_refused(column: str, amount: object) -> None:
    assert refused(**{column: amount})[0] in {"BAD_AMOUNT", "MISSING_FIELD"}
    if isinstance(amount, str):
        assert refused(**{column: amount})[0] == "BAD_AMOUNT"


def test_a_minus_belongs_to_refunds_only() -> None:
    assert refused(act_pay_dedc="-1.00")[0] == "BAD_AMOUNT"
    assert refused(act_pay_dedc="-0.00")[0] == "BAD_AMOUNT"
    assert isinstance(judged(a_refund()), Settlement)


def test_a_refund_with_an_amount_above_zero_is_none() -> None:
    read = judged(a_row(refd_setl_flag="1"))
    assert read == Refusal(RefusalCode.REFUND_MISMATCH)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("enddate", "2024-02-30"),
        ("enddate", "20240309"),
        ("enddate", "2024-W10-6"),
        ("enddate", "2024/03/09"),
        ("enddate", "2024-02-28"),  # before the begin
        ("begndate", "0001-01-01"),
        ("setl_time", "2024-03-09"),
        ("setl_time", "2024-03-09T25:00:00+08:00"),
        ("setl_time", "9999-12-31T23:59:59-08:00"),
        ("setl_time", "yesterday evening..."),
    ],
)
def test_a_day_that_is_none_is_refused(column: str, text: str) -> None:
    assert refused(**{column: text})[0] == "BAD_DATE"


def test_a_time_without_offset_is_chinas() -> None:
    plain = a_settlement(setl_time="2024-03-09 18:00:00")
    assert plain.content_hash == a_settlement().content_hash


@pytest.mark.parametrize(
    "column", ["medfee_sumamt", "fund_pay_sumamt", "psn_part_amt", "inscp_scp_amt"]
)
def test_one_fen_too_much_is_found(column: str) -> None:
    amount = a_row()[column]
    assert refused(**{column: amount[:-1] + "1"})[0] == "SUMS_MISMATCH"


@pytest.mark.parametrize("column", ["copay_pooled", "copay_large_sum"])
def test_a_share_that_the_member_bore_is_no_more_than_the_member_paid(column: str) -> None:
    assert refused(**{column: "2010.01"})[0] == "SUMS_MISMATCH"
    assert isinstance(judged(a_refund(**{column: "-2010.01"})), Settlement)


def test_a_wrong_check_digit_is_found_where_the_papers_have_one() -> None:
    assert refused(certno="110101199003070012")[0] == "ID_CHECK_DIGIT"
    assert refused(certno="110101199003070012", psn_cert_type="")[0] == "ID_CHECK_DIGIT"
    passport = a_settlement(certno="E12345678", psn_cert_type="03")
    assert passport.identity_index == IDENTITY.of("E12345678")


def test_the_first_fault_in_the_fixed_order_gives_the_code() -> None:
    faults = {
        "psn_name": ("", "MISSING_FIELD"),
        "hifp_pay": ("x", "BAD_AMOUNT"),
        "enddate": ("x", "BAD_DATE"),
        "psn_part_amt": ("1.00", "SUMS_MISMATCH"),
        "certno": ("110101199003070012", "ID_CHECK_DIGIT"),
    }
    while faults:
        assert refused(**{name: text for name, (text, _) in faults.items()})[0] == next(
            code for _, code in faults.values()
        )
        faults.pop(next(iter(faults)))


def test_text_that_no_database_holds_is_refused() -> None:
    assert refused(psn_name="张\x00强") == ("MISSING_FIELD", "psn_name")
    assert refused(dise_name="\ud800") == ("MISSING_FIELD", "dise_name")
    assert refused(setl_id="S" * (KEY_CHARS_MAX + 1)) == ("MISSING_FIELD", "setl_id")
    assert refused(dise_name="肿" * (TEXT_CHARS_MAX + 1)) == ("MISSING_FIELD", "dise_name")
    assert refused(refd_setl_flag="2") == ("MISSING_FIELD", "refd_setl_flag")
    assert isinstance(judged(a_row(psn_name="㐂\ue000·阿里")), Settlement)


def test_columns_come_in_any_order_and_others_are_passed_over() -> None:
    row = a_row() | {"unheard_of": "x"}
    header = sorted(row)
    read = reader(header).read([row[name] for name in header])
    assert read == judged(row)


def test_columns_that_need_not_be_there_may_be_away() -> None:
    row = a_row()
    read = reader(REQUIRED).read([row[name] for name in REQUIRED])
    assert isinstance(read, Settlement)
    assert not read.key.refund


def test_a_header_without_a_starred_column_is_refused_whole() -> None:
    with pytest.raises(FeedMissingColumn, match="certno, setl_time"):
        reader([c for c in COLUMNS if c not in {"certno", "setl_time"}])
    with pytest.raises(FeedMissingColumn, match="dise_name"):
        reader([*COLUMNS, "dise_name"])


@pytest.mark.parametrize("fields", [[], ["x"], [*a_row().values(), ""]])
def test_a_row_of_another_width_is_refused(fields: list[str]) -> None:
    read = reader(list(a_row())).read(fields)
    assert read == Refusal(RefusalCode.MISSING_FIELD)


def test_the_same_content_has_the_same_hash_however_it_is_written() -> None:
    same = a_settlement(act_pay_dedc="0", certno="11010119900307001" + "1", psn_cert_type="")
    assert same.content_hash == a_settlement().content_hash


@given(st.sampled_from([c for c in COLUMNS if c not in {*AMOUNTS, "refd_setl_flag"}]))
def test_any_other_content_has_another_hash(column: str) -> None:
    other = {
        "certno": "11010519491231002X",
        "begndate": "2024-03-02",
        "enddate": "2024-03-08",
        "setl_time": "2024-03-09T18:00:01+08:00",
        "psn_cert_type": "03",
    }.get(column, "another")
    assert a_settlement(**{column: other}).content_hash != a_settlement().content_hash


def test_the_hash_cannot_be_made_without_the_key() -> None:
    other = RowReader(COLUMNS, hash_key=b"another", identity=IDENTITY).read(texts_of(a_row()))
    assert isinstance(other, Settlement)
    assert other.content_hash != a_settlement().content_hash


def test_an_exact_refund_mirrors_its_original() -> None:
    refund = judged(a_refund(setl_time="2024-04-01T08:00:00+08:00"))
    assert isinstance(refund, Settlement)
    assert refund.key.refund
    assert refund.mirror_hash == a_settlement().mirror_hash
    assert refund.content_hash != a_settlement().content_hash


@pytest.mark.parametrize(
    "changed",
    [{"act_pay_dedc": "-0.01"}, {"certno": "11010519491231002X"}, {"setl_id": "S2"}],
)
def test_a_refund_of_anything_else_does_not(changed: dict[str, str]) -> None:
    refund = judged(a_refund(**changed))
    assert isinstance(refund, Settlement)
    assert refund.mirror_hash != a_settlement().mirror_hash


@given(st.dictionaries(st.sampled_from(COLUMNS), ANYTHING))
def test_whatever_comes_is_read_or_refused_and_never_breaks(fields: dict[str, object]) -> None:
    assert isinstance(judged(a_row() | fields), Settlement | Refusal)
    assert isinstance(judged(fields), Refusal)
