"""What the feed is worth, worked out apart from the product: plain Decimals, one line at a time.

Nothing here is imported from the services, and the sample figures of bj.mutual stand here a second
time on purpose: two computations that agree are worth more than one.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from deploy.demo.visits import INPATIENT, Row

FEN = Decimal("0.01")
NOTHING = Decimal("0.00")
CAP = Decimal("200000.00")
DEDUCTIBLE = {"inpatient": Decimal("1300.00"), "outpatient": Decimal("1800.00")}
RATIO = {"inpatient": Decimal("0.80"), "outpatient": Decimal("0.50")}

# What was done to a row, and the code it is refused with.
REFUSED = {
    "sums": "SUMS_MISMATCH",
    "bad_amount": "BAD_AMOUNT",
    "bad_date": "BAD_DATE",
    "bad_id": "ID_CHECK_DIGIT",
    "unknown_member": "UNKNOWN_MEMBER",
    "retired": "NOT_IN_SERVICE",
    "missing_field": "MISSING_FIELD",
    "conflicting": "CONFLICTING_CONTENT",
    "refund_mismatch": "REFUND_MISMATCH",
}


class Expected(NamedTuple):
    status: str
    code: str
    benefit: Decimal


class _Year:
    def __init__(self) -> None:
        self.burdens = dict.fromkeys(DEDUCTIBLE, NOTHING)
        self.granted = NOTHING

    def change(self, kind: str, burden: Decimal) -> Decimal:
        """Put a burden in (or take it out again) and give what is granted for it."""
        self.burdens[kind] += burden
        shares = (
            (max(NOTHING, total - DEDUCTIBLE[name]) * RATIO[name]).quantize(FEN, ROUND_HALF_UP)
            for name, total in self.burdens.items()
        )
        owed = min(CAP, sum(shares, NOTHING))
        granted, self.granted = owed - self.granted, owed
        return granted


class Oracle:
    """Reads the rows in their order; knows of every one what was done to it."""

    def __init__(self) -> None:
        self._years: defaultdict[tuple[str, int], _Year] = defaultdict(_Year)

    def expect(self, row: Row, made: str) -> Expected:
        if made in REFUSED:
            return Expected("refused", REFUSED[made], NOTHING)
        match made:
            case "duplicate":
                return Expected("duplicate", "", NOTHING)
            case "not_covered":
                return Expected("rejected", "OUTSIDE_COVERAGE", NOTHING)
            case "early_refund" | "late_original":
                return Expected("reversed", "", NOTHING)
            case "refund":
                return Expected("reversed", "", self._change(row))
            case _:
                benefit = self._change(row)
                return Expected("settled" if benefit else "rejected", "", benefit)

    def by_year(self) -> Iterable[tuple[str, int, Decimal]]:
        """Give what each member was granted per year, members without a benefit left out."""
        for (certno, year), found in sorted(self._years.items()):
            if found.granted:
                yield certno, year, found.granted

    def _change(self, row: Row) -> Decimal:
        """Count self-pay one with the sign of the row: a refund's amounts are negative."""
        kind = "inpatient" if row["med_type"] == INPATIENT else "outpatient"
        burden = Decimal(row["inscp_scp_amt"]) - Decimal(row["fund_pay_sumamt"])
        year = int(row["enddate"][:4])
        return self._years[row["certno"], year].change(kind, burden)
