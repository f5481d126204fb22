"""Workers made up for the tests: valid numbers, no real person."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.common.identity import resident_id
from services.common.kit import clock

HEADER = (
    "name,id_type,id_number,phone,card_number,card_bank,employment_status,hired_on,schemes,groups"
)


def resident_number(sequence: int, born: str = "19900307") -> str:
    """Give a number with a right check digit: the one of eleven that passes."""
    body = f"110101{born}{sequence:03d}"
    numbers = (body + sign for sign in "0123456789X")
    return next(n for n in numbers if resident_id(n, born_by=clock.today()))


@dataclass(frozen=True)
class Worker:
    """One row of a roster, as a unit writes it."""

    name: str = "王芳"
    id_type: str = "01"
    id_number: str = "110101199003070011"
    phone: str = "13800000001"
    card_number: str = "6217000000000000012"
    card_bank: str = "工商银行"
    employment_status: str = "in_service"
    hired_on: str = "2012-05-01"
    schemes: str = "bj.mutual:1"
    groups: str = ""

    def but(self, **changes: str) -> "Worker":
        return replace(self, **changes)

    def line(self) -> str:
        return ",".join(str(getattr(self, column)) for column in HEADER.split(","))


def worker(number: int) -> Worker:
    """Give the same worker for the same number, up to 999."""
    return Worker(
        name=f"李{chr(0x4E00 + number)}",
        id_number=resident_number(number),
        phone=f"139{number:08d}",
        card_number=f"621700{number:013d}",
    )


def workers(count: int) -> list[Worker]:
    return [worker(number) for number in range(1, count + 1)]


def csv_of(rows: Iterable[Worker]) -> bytes:
    return "\n".join([HEADER, *(row.line() for row in rows), ""]).encode()
