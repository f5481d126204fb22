"""The funds' accounts from the bank's side: what moved there, added up apart from the product.

Nothing here is imported from the services; the installation's accounts stand here a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)
OPENING = Decimal("10000000000.00")  # with which the bank opens a payer's account


class Fund(NamedTuple):
    fund_id: str
    name: str
    account: str


FUNDS = (
    Fund("chongqing", "重庆市职工互助保障资金", "3100000000000000026"),
    Fund("weihai", "威海市惠工保互助金", "755900000000000034"),
    Fund("city", "市职工医疗互助资金", "6200000000000000042"),
    Fund("union", "北京市职工医疗互助资金", "0200000000000000001"),
)
NAMES = {fund.fund_id: fund.name for fund in FUNDS}
ACCOUNTS = {fund.fund_id: fund.account for fund in FUNDS}
_PLANS = {"cq": "chongqing", "wh": "weihai", "ct": "city"}
OUT = ("代发", "转出", "手续费")  # the bank's own words for what leaves an account


def fund_of(scheme_id: str) -> str:
    """Give the fund that pays a plan: that of its city, and Beijing's for all others."""
    return _PLANS.get(scheme_id.partition(".")[0], "union")


def due_by_fund(dues: Iterable[tuple[str, str]]) -> dict[str, Decimal]:
    """Add up by fund what plans owe, in yuan."""
    due = {fund.fund_id: ZERO for fund in FUNDS}
    for scheme_id, amount in dues:
        due[fund_of(scheme_id)] += Decimal(amount)
    return due


class Account(NamedTuple):
    """What the bank's book has of one account, in yuan.

    `payouts` counts the transfers booked, `returns` those given back.
    """

    balance: Decimal
    sums: Mapping[str, Decimal]
    payouts: int
    returns: int

    def moved(self, kind: str) -> Decimal:
        return self.sums.get(kind, ZERO)

    @property
    def net(self) -> Decimal:
        """Give what came in less what went out."""
        signed = (-amount if kind in OUT else amount for kind, amount in self.sums.items())
        return sum(signed, ZERO)


def added_up(
    balance: str, movements: Iterable[Mapping[str, str]], book: Iterable[Mapping[str, str]]
) -> Account:
    """Add up an account's movements; which of the book's lines are its own, its batches say."""
    sums: dict[str, Decimal] = {}
    batches: set[str] = set()
    returns = 0
    for line in movements:
        kind = line["交易类型"]
        sums[kind] = sums.get(kind, ZERO) + Decimal(line["金额"])
        if kind == "代发":
            batches.add(line["批次号"])
        returns += kind == "退票"
    booked = sum(line["status"] == "booked" and line["batch"] in batches for line in book)
    return Account(Decimal(balance), sums, booked, returns)


class Expected(NamedTuple):
    """Money that somebody has announced, and the transfers in which it comes, in yuan."""

    fund_id: str
    kind: str
    unit: str
    party: str
    reference: str
    transfers: Sequence[str]

    @property
    def amount(self) -> str:
        return str(sum(map(Decimal, self.transfers), ZERO))


class Deposit(NamedTuple):
    """Money that comes in."""

    fund_id: str
    amount: str
    party: str
    remark: str


# What the units have announced: 60 yuan for each member, the city's subsidy, Chongqing's dues.
ANNOUNCED = (
    Expected(
        "union",
        "member_contributions",
        "U0001",
        "北京市公交集团工会",
        "BJ-2026-U0001",
        ("4500.00",),
    ),
    Expected(
        "union",
        "member_contributions",
        "U0002",
        "北京市园林绿化局工会",
        "BJ-2026-U0002",
        ("2000.00", "2500.00"),
    ),
    Expected("city", "union_subsidy", "", "市总工会", "CT-2026-BT01", ("30000.00",)),
    Expected(
        "chongqing",
        "member_contributions",
        "U0005",
        "华运物流集团工会",
        "CQ-2026-U0005",
        ("100.00",),
    ),
    Expected(
        "chongqing", "membership_fees", "U0005", "华运物流集团工会", "CQ-2026-JF05", ("600.00",)
    ),
)
STRANGER = Deposit("weihai", "5000.00", "威海市总工会", "补助")
FEE = Deposit("union", "12.50", "开户银行", "代发手续费")
