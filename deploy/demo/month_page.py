"""A month's page, read as finance reads it: which figure stands in which line of which table."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from deploy.demo.accounts import ANNOUNCED, FEE, OPENING, STRANGER, Account

STATEMENT, TRIAL, DAYS = "资金收支表", "试算平衡表", "每日余额核对"
HEAD = ""  # what stands above the funds
_TITLES = (STATEMENT, TRIAL, DAYS)
_GAP = re.compile(r" {2,}")
_ZERO = Decimal("0.00")

# Of a table its lines: the Chinese word in front, and the figures behind it.
Table = dict[str, list[str]]


def read_page(page: str) -> dict[str, dict[str, Table]]:
    """Give the tables of every fund by their titles; the facts above them stand under `HEAD`."""
    found: dict[str, dict[str, Table]] = {HEAD: {HEAD: {}}}
    fund = title = HEAD
    lines = iter(page.splitlines())
    for line in lines:
        if line.startswith("==="):
            fund, title = next(lines), HEAD
            found[fund] = {HEAD: {}}
        elif line.startswith(_TITLES):
            title = line.partition(" ")[0]
            found[fund][title] = {}
            while not next(lines).startswith("---"):  # the names of the columns
                pass
        elif fund == HEAD:
            name, _, value = line.partition(": ")
            found[fund][title][name.partition(" ")[0]] = [value]
        elif line:
            label, *figures = _GAP.split(line)
            found[fund][title][label.partition(" ")[0]] = figures
    return found


def due_lines(fund_id: str, bank: Account, repaid: Decimal, granted: Decimal) -> Table:
    """Give the lines that a fund's statement has to have, from the bank's book and our own data.

    `repaid` is what members paid back, `granted` what the demo knows to be due from the fund.
    """
    came = {kind: list(_announced(fund_id, kind)) for kind in _KINDS}
    if fund_id == STRANGER.fund_id:
        came["union_subsidy"].append(Decimal(STRANGER.amount))
    returned, fees = bank.moved("退票"), bank.moved("手续费")
    income = sum((*came["member_contributions"], *came["membership_fees"]), _ZERO)
    lines = {
        "期初余额": [_yuan(_ZERO)],
        "投入本金": ["1", _yuan(OPENING)],
        **{
            word: [str(len(came[kind])), _yuan(sum(came[kind], _ZERO))]
            for kind, word in _KINDS.items()
        },
        "收追回多付款": [str(int(bool(repaid))), _yuan(repaid)],
        "收总会划拨款": ["0", _yuan(_ZERO)],
        "退票收回": [str(bank.returns), _yuan(returned)],
        "支付互助金": [str(bank.payouts), _yuan(-bank.moved("代发"))],
        "上交总会": ["0", _yuan(_ZERO)],
        "支付手续费": [str(int(fund_id == FEE.fund_id)), _yuan(-fees)],
        "期末余额": [_yuan(bank.balance)],
        "其中在途": [_yuan(_ZERO)],
        "保留金额": [_yuan(_ZERO)],
        "可用余额": [_yuan(bank.balance)],
    }
    if fund_id == "chongqing":
        for word, amount in (("上交", income), ("划拨", granted)):
            lines[f"本月应{word}"] = lines[f"未{word}余额"] = [_yuan(amount)]
    return lines


_KINDS: Mapping[str, str] = {
    "member_contributions": "收会员互助费",
    "union_subsidy": "收工会补助",
    "membership_fees": "收会费",
}


def _announced(fund_id: str, kind: str) -> Iterator[Decimal]:
    for one in ANNOUNCED:
        if (one.fund_id, one.kind) == (fund_id, kind):
            yield Decimal(one.amount)


def _yuan(amount: Decimal) -> str:
    return f"{amount + _ZERO:.2f}"
