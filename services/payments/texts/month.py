"""What a month's page says, as facts and tables; how it is set is another's business."""

from collections.abc import Sequence
from itertools import dropwhile
from typing import Final

import msgspec

from services.common.kit.clock import BUSINESS_ZONE
from services.common.money import Fen, yuan
from services.payments.model.reports import FundMonth, FundStatement, MonthReport
from services.payments.texts.words import WORDS

# Where the bank has stated no day yet, its balance follows from its lines.
_AGREES: Final = {True: "相符", False: "不符", None: "按流水"}


class Label(msgspec.Struct, frozen=True):
    """A word in both languages."""

    zh: str
    en: str = ""


class Table(msgspec.Struct, frozen=True):
    """A table whose first column is words and whose other columns are figures."""

    title: Label
    heads: Sequence[Label]
    rows: Sequence[tuple[Label, Sequence[str]]]


class FundPage(msgspec.Struct, frozen=True):
    name: str
    tables: Sequence[Table]
    waiting: Sequence[tuple[Label, str]]


class MonthPage(msgspec.Struct, frozen=True):
    title: Label
    facts: Sequence[tuple[Label, str]]
    funds: Sequence[FundPage]


def month_page(report: MonthReport) -> MonthPage:
    closed_at, root = report.closed_at, report.root
    facts = [
        (word("month"), report.month.text()),
        (
            word("closed"),
            f"{closed_at.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M}"
            if closed_at
            else _both(word("open")),
        ),
    ]
    if report.total_fen is not None:
        facts.append((word("total"), yuan(report.total_fen)))
    facts.append((word("root"), root.hex() if root else _both(word("no_root"))))
    if report.elsewhere:
        facts.append((word("elsewhere"), str(report.elsewhere)))
    return MonthPage(word("title"), facts, [_fund(fund) for fund in report.funds])


def word(name: str) -> Label:
    words = WORDS.month[name]
    return Label(words.zh, words.en)


def _both(label: Label) -> str:
    return f"{label.zh} {label.en}"


def _yuan(fen: int) -> str:
    return yuan(Fen(fen))


def _fund(fund: FundMonth) -> FundPage:
    waiting = [
        (word("bank_exceptions"), str(fund.open.bank_exceptions)),
        (word("bank_lines"), str(fund.open.bank_lines)),
        (word("doubts"), str(fund.open.doubts)),
    ]
    return FundPage(fund.name, (_statement(fund), _trial(fund), _days(fund)), waiting)


def _statement(fund: FundMonth) -> Table:
    said = fund.statement
    rows = [
        (word("opening"), ("", _yuan(said.opening_fen))),
        *(
            (
                Label(WORDS.flows[flow.account].zh, WORDS.flows[flow.account].en)
                if flow.account in WORDS.flows
                else Label(WORDS.accounts[flow.account].zh, WORDS.accounts[flow.account].en),
                (str(flow.entries), _yuan(flow.amount_fen)),
            )
            for flow in said.flows
        ),
        (word("closing"), ("", _yuan(said.closing_fen))),
        (word("in_transit"), ("", _yuan(said.in_transit_fen))),
        (word("reserve"), ("", _yuan(said.reserve_fen))),
        (word("free"), ("", _yuan(said.free_fen))),
    ]
    if fund.handed_up_fen is not None and fund.allotted_fen is not None:
        rows += _association(said, fund.handed_up_fen, fund.allotted_fen)
    return Table(word("statement"), (word("yuan"), word("count"), word("amount")), rows)


def _association(
    said: FundStatement, handed_up_fen: int, allotted_fen: int
) -> list[tuple[Label, tuple[str, str]]]:
    return [
        (word("handed_up"), ("", _yuan(handed_up_fen))),
        (word("owed_up"), ("", _yuan(said.owed_up_fen))),
        (word("allotted"), ("", _yuan(allotted_fen))),
        (word("owed_down"), ("", _yuan(said.owed_down_fen))),
    ]


def _days(fund: FundMonth) -> Table:
    heads = ("day", "book", "bank", "bank_only", "book_only", "agrees")
    rows = [
        (
            Label(day.day.isoformat()),
            (
                _yuan(day.book_fen),
                _yuan(day.by_lines_fen if day.bank_fen is None else day.bank_fen),
                _yuan(day.bank_only.signed_fen),
                _yuan(day.book_only.signed_fen),
                _AGREES[day.agrees],
            ),
        )
        for day in dropwhile(lambda day: not day.has_begun, fund.days)
    ]
    return Table(word("days"), [word(head) for head in heads], rows)


def _trial(fund: FundMonth) -> Table:
    heads = ("account", "opening", "debit", "credit", "closing")
    opening, moved, closing = fund.totals
    rows = [
        *(
            (
                Label(WORDS.accounts[row.account].zh, WORDS.accounts[row.account].en),
                tuple(
                    map(_yuan, (row.opening_fen, row.debit_fen, row.credit_fen, row.closing_fen))
                ),
            )
            for row in fund.trial
        ),
        (word("debit_side"), (_yuan(opening[0]), _yuan(moved[0]), "", _yuan(closing[0]))),
        (word("credit_side"), (_yuan(opening[1]), "", _yuan(moved[1]), _yuan(closing[1]))),
        (word("balanced" if fund.totals.agree else "unbalanced"), ("", "", "", "")),
    ]
    return Table(word("trial"), [word(head) for head in heads], rows)
