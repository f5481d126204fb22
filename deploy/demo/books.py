"""The checks: our books, the bank's book and the provider's log have to tell the same story."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from deploy.demo.dataset import Dataset, Truth

Json = Mapping[str, Any]
SERVICES = ("enrollment", "claims", "payments", "notify")
FINAL_PAYOUTS = frozenset({"paid", "refused", "returned", "cancelled", "netted"})
FINAL_TEXTS = frozenset({"sent"})
COUNTED = ("settled", "rejected", "reversed", "duplicate", "refused")
TEXTS_PER_REFUSAL = 2  # the member and the unit's one filing officer
TEXTS_PER_RETURN = 3  # the same, after the text that said it was paid


class Check(NamedTuple):
    """One thing that has to be so; both sides of it are kept for the report."""

    name: str
    expected: object
    found: object

    @property
    def ok(self) -> bool:
        return self.expected == self.found


def is_quiet(books: Json, refused_attempts: int, returned: int = 0) -> bool:
    """Say whether all that was granted has become payouts, all payouts are final, all texts sent.

    The counts of neighbours are compared, because an event that nobody has read yet is in nobody's
    queue.
    """
    claims, payments, notify = books["claims"], books["payments"], books["notify"]
    payouts, texts = payments["payouts_by_state"], notify["messages_by_state"]
    due = payouts.get("paid", 0)
    due += TEXTS_PER_REFUSAL * refused_attempts + TEXTS_PER_RETURN * returned
    return (
        not any(books[name]["events_pending"] for name in SERVICES)
        and claims["grants"] == sum(payouts.values())
        and payouts.keys() <= FINAL_PAYOUTS
        and not (payments["payouts_queued"] or payments["batches_open"])
        and texts.keys() <= FINAL_TEXTS
        and due == sum(texts.values())
        and not notify["dispatches_open"]
    )


def check_quiet(books: Json) -> list[Check]:
    pending = {name: books[name]["events_pending"] for name in SERVICES}
    dead = {name: books[name]["dead_letters"] for name in SERVICES}
    nothing = dict.fromkeys(SERVICES, 0)
    return [
        Check("没有待发事件 · no event is pending", nothing, pending),
        Check("没有死信 · no dead letter", nothing, dead),
        Check("银行无在途 · nothing waits at the bank", (0, 0), _at_the_bank(books["payments"])),
    ]


def _at_the_bank(payments: Json) -> tuple[int, int]:
    return payments["in_flight_fen"], payments["bank_exceptions"]


def check_money(
    books: Json,
    bank: Iterable[Json],
    expected_fen: int,
    *,
    came_in_fen: int = 0,
    repaid_fen: int = 0,
) -> list[Check]:
    """Compare four sums that were added up apart: bank, ledger, payments, claims.

    What the bank gave back (退票) is booked no longer. `came_in_fen` is what moved on the accounts
    beside payouts, and `repaid_fen` what of it members have repaid.
    """
    book = list(bank)
    lines = [line for line in book if line["status"] == "booked"]
    given_back = [line for line in book if line["status"] == "returned"]
    booked_fen = _sum(lines) - _sum(given_back)
    payments, ledger = books["payments"], books["payments"]["ledger"]
    outside_fen = payments["to_recover_fen"] - payments["open_fen"]
    left_the_fund_fen = -(ledger["bank"] + ledger["fund"])  # what it opened with, less what is left
    granted_fen = books["claims"]["granted_fen"]
    instructions = [line["instruction_id"] for line in lines]
    return [
        Check("核定 = 应付(分) · granted = expected, in fen", expected_fen, granted_fen),
        Check(
            "支付收到全部核定 · payments was told all that was granted",
            granted_fen,
            payments["granted_fen"],
        ),
        Check(
            "总账:支出 = 核定 · ledger: expense = granted", granted_fen, ledger["benefit_expense"]
        ),
        Check("总账:借贷平衡 · ledger: its accounts add up to nothing", 0, sum(ledger.values())),
        Check(
            "总账:基金支出 = 银行流水 · ledger: what left the fund = bank book",
            booked_fen - came_in_fen,
            left_the_fund_fen,
        ),
        Check(
            "支付:已付 = 银行流水 - 收回 · payments: paid = bank book - repaid",
            booked_fen - repaid_fen,
            payments["paid_fen"],
        ),
        Check(
            "银行流水 - 收回 = 核定 + 待收回 - 未付 · bank - repaid = granted + to recover - open",
            booked_fen - repaid_fen,
            granted_fen + outside_fen,
        ),
        Check("没有未付 · nothing is left unpaid", 0, payments["open_fen"]),
        Check(
            "没有重复入账 · no instruction was booked twice",
            len(instructions),
            len(set(instructions)),
        ),
    ]


def _sum(lines: Iterable[Json]) -> int:
    return sum(fen(line["amount"]) for line in lines)


def check_texts(
    bank: Sequence[Json], texts: Sequence[Json], phone_of: Callable[[str], str]
) -> list[Check]:
    """Hold the provider's log against the bank's book: one text per payment, and none besides."""
    payments = Counter(_payment(line, phone_of) for line in bank if line["status"] == "booked")
    told = Counter(_told(text) for text in texts if text["template"] == "SMS_PAYOUT_PAID")
    by_template = Counter(text["template"] for text in texts)
    refused = sum(line["status"] == "refused" for line in bank)
    to_member = by_template["SMS_PAYOUT_REFUSED_MEMBER"]
    to_officer = by_template["SMS_PAYOUT_REFUSED_OFFICER"]
    returned = sum(line["status"] == "returned" for line in bank)
    told_back = [by_template[f"SMS_PAYOUT_RETURNED_{who}"] for who in ("MEMBER", "OFFICER")]
    return [
        Check(
            "一笔打款一条短信 · one text per payment",
            payments.total(),
            by_template["SMS_PAYOUT_PAID"],
        ),
        Check("打款无短信 · payments without their text", 0, (payments - told).total()),
        Check("短信无打款 · texts without their payment", 0, (told - payments).total()),
        Check("每次退回告知会员一次 · one text to the member per refusal", refused, to_member),
        Check("每次退回告知经办人一次 · one text to the officer per refusal", refused, to_officer),
        Check("每次退票各告知一次 · one text to each per return", [returned] * 2, told_back),
    ]


def _payment(line: Json, phone_of: Callable[[str], str]) -> tuple[str, Decimal, str]:
    return phone_of(line["account"]), Decimal(line["amount"]), line["account"][-4:]


def _told(text: Json) -> tuple[str, Decimal, str]:
    return text["phone"], Decimal(text["params"]["amount"]), text["params"]["tail"]


def check_feed(data: Dataset, feed: Json, refusals: Sequence[Json]) -> list[Check]:
    """Compare what became of the feed's lines with what was to become of them."""
    found = {(int(one["line"]), one["setl_id"], one["code"]) for one in refusals}
    due = {(one.line, one.setl_id, one.code) for one in data.truth if one.status == "refused"}
    return [
        Check("结算明细:行数 · feed: lines", len(data.truth), feed["lines"]),
        Check("结算明细:各类行数 · feed: counts", _counts(data.counts), _counts(feed)),
        Check(
            "结算明细:互助金 · feed: benefit",
            sum(one.benefit for one in data.truth),
            Decimal(feed["benefit"]),
        ),
        Check(
            "结算明细:每条退回及原因 · feed: every refused line with its code",
            sorted(due),
            sorted(found),
        ),
    ]


def _counts(of: Mapping[str, int]) -> dict[str, int]:
    return {name: of[name] for name in COUNTED}


def check_lines(data: Dataset, answers: Sequence[Json], looked_up: Mapping[str, str]) -> Check:
    """Compare every line with what the hospitals are told when they ask for the row once more.

    A row that was taken answers as a duplicate of itself, with the benefit it was given; what was
    taken back is looked up, because a duplicate does not say so.
    """
    pairs = zip(data.truth, answers, strict=True)
    wrong = [one.line for one, answer in pairs if not _holds(one, answer, looked_up)]
    return Check(
        "逐行复查结论与金额 · every line is remembered with its verdict and its fen", [], wrong
    )


def taken_back(data: Dataset) -> set[str]:
    return {one.setl_id for one in data.truth if one.status == "reversed"}


def _holds(one: Truth, answer: Json, looked_up: Mapping[str, str]) -> bool:
    if one.status == "refused":
        return (answer["status"], answer["code"]) == ("refused", one.code)
    if one.setl_id in looked_up:
        return looked_up[one.setl_id] == "reversed"
    if one.status == "duplicate":
        return answer["status"] == "duplicate"
    return answer["status"] == "duplicate" and Decimal(answer["benefit"]) == one.benefit


def fen(amount: str) -> int:
    return int(Decimal(amount) * 100)
