"""The books of a span of days, added up: trial balance, fund statement, the month's allocation."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from services.common.ids import derived_id
from services.common.money import Fen
from services.payments.model.funds import Fund
from services.payments.model.ledger import ALL_SCHEMES, Account, PairSum, Posting, TrialRow
from services.payments.model.months import Month
from services.payments.model.reports import Flow, FundStatement, Totals

# What faces the account at the bank, in the order of the statement; said also where it is nothing.
FLOWS: Final = (
    Account.FUND,
    Account.MEMBER_CONTRIBUTIONS,
    Account.UNION_SUBSIDY,
    Account.MEMBERSHIP_FEES,
    Account.RECOVERIES,
    Account.DUE_FROM_ASSOCIATION,
    Account.RETURNED,
    Account.PAYOUTS_IN_TRANSIT,
    Account.DUE_TO_ASSOCIATION,
    Account.BANK_CHARGES,
)


def totals(rows: Sequence[TrialRow]) -> Totals:
    return Totals(
        _sides(row.opening_fen for row in rows),
        (sum(row.debit_fen for row in rows), sum(row.credit_fen for row in rows)),
        _sides(row.closing_fen for row in rows),
    )


def _sides(balances: Iterable[int]) -> tuple[int, int]:
    known = list(balances)
    return sum(fen for fen in known if fen > 0), -sum(fen for fen in known if fen < 0)


def by_account(rows: Iterable[TrialRow], fund_id: str) -> list[TrialRow]:
    """Give a fund's accounts over all its schemes, in the order of the accounts."""
    found: dict[str, TrialRow] = {}
    for row in rows:
        if row.fund_id == fund_id:
            known = found.get(row.account)
            found[row.account] = (
                row._replace(scheme_id=ALL_SCHEMES)
                if known is None
                else known._replace(
                    opening_fen=known.opening_fen + row.opening_fen,
                    debit_fen=Fen(known.debit_fen + row.debit_fen),
                    credit_fen=Fen(known.credit_fen + row.credit_fen),
                )
            )
    return [found[account] for account in Account if account in found]


def fund_statement(fund: Fund, rows: Iterable[TrialRow], sums: Iterable[PairSum]) -> FundStatement:
    """Make a fund's statement of a span from its trial balance and its pairs' sums."""
    accounts = {row.account: row for row in by_account(rows, fund.fund_id)}

    def closing(account: Account) -> int:
        return accounts[account].closing_fen if account in accounts else 0

    bank = accounts.get(Account.BANK)
    facing: dict[str, Flow] = {account: Flow(account, 0, 0) for account in FLOWS}
    for pair in sums:
        if pair.fund_id == fund.fund_id and pair.account == Account.BANK:
            known = facing.get(pair.contra, Flow(pair.contra, 0, 0))
            facing[pair.contra] = Flow(
                pair.contra, known.entries + pair.entries, known.amount_fen + pair.net_fen
            )
    return FundStatement(
        fund.fund_id,
        bank.opening_fen if bank else 0,
        tuple(facing.values()),
        bank.closing_fen if bank else 0,
        -closing(Account.PAYOUTS_IN_TRANSIT),
        fund.reserve_fen,
        -closing(Account.DUE_TO_ASSOCIATION),
        closing(Account.DUE_FROM_ASSOCIATION),
    )


class Allocation(NamedTuple):
    """What a fund hands up for a month and what it is allotted; below 0 where more was taken back.

    The association gets every month's income whole, and sends what was paid out of it.
    """

    fund_id: str
    month: Month
    income_fen: int
    payouts_fen: int

    def postings(self) -> list[Posting]:
        """Book it; nothing where there was nothing, and the reverse where it is below 0."""
        source = derived_id("month", self.fund_id, self.month.text())
        moves = (
            ("handed_up", Account.HANDED_UP, Account.DUE_TO_ASSOCIATION, self.income_fen),
            ("allotted", Account.DUE_FROM_ASSOCIATION, Account.ALLOTTED, self.payouts_fen),
        )
        return [
            Posting(source, leg, self.fund_id, ALL_SCHEMES, debit, credit, Fen(fen))
            if fen > 0
            else Posting(source, leg, self.fund_id, ALL_SCHEMES, credit, debit, Fen(-fen))
            for leg, debit, credit, fen in moves
            if fen
        ]


def allocation(fund_id: str, month: Month, sums: Iterable[PairSum]) -> Allocation:
    """Say what a month's sums make of a fund: income handed up, payouts less returns allotted."""
    income = payouts = 0
    for pair in sums:
        if pair.fund_id == fund_id and pair.account == Account.BANK:
            if pair.contra in (Account.MEMBER_CONTRIBUTIONS, Account.MEMBERSHIP_FEES):
                income += pair.net_fen
            elif pair.contra in (Account.PAYOUTS_IN_TRANSIT, Account.RETURNED):
                payouts -= pair.net_fen
    return Allocation(fund_id, month, income, payouts)
