"""The funds that schemes are paid from: each with its account, its bank and its hours."""

from collections.abc import Mapping
from datetime import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from services.common.money import Fen

ChannelName = Literal["p1", "p2", "iso20022", "cmb"]
_DATA: Final = Path(__file__).with_name("funds.yaml")


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AtOnce(_Said):
    """A batch is cut as soon as payouts have waited `batch_wait_ms`."""

    kind: Literal["at_once"] = "at_once"


class Daily(_Said):
    kind: Literal["daily"]
    at: time


class Monthly(_Said):
    """On a day of the month; a month that is too short for it has it on its last day."""

    kind: Literal["monthly"]
    day: Annotated[int, Field(ge=1, le=31)]
    at: time


class BankHours(_Said):
    """When the bank takes batches: on its workdays, from `opens` until before `cut_off`."""

    opens: time
    cut_off: time

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "BankHours":
        if self.opens >= self.cut_off:
            raise ValueError("opens is not before cut_off")
        return self


class Fund(_Said):
    """A pot of money on an account of its own.

    `schemes` are names or patterns (`cq.*`); a scheme is paid by the first fund that names it.
    `reserve_yuan` is what must stay in it: payouts that would go below it wait. Where the fund is
    an `association`'s, its income is handed up each month and its payouts are allotted down.
    """

    fund_id: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,16}$")]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    schemes: Annotated[tuple[str, ...], Field(min_length=1)]
    channel: ChannelName
    account: Annotated[str, Field(pattern=r"^[0-9]{6,32}$")]
    holder: Annotated[str, Field(pattern=r"^[^|\r\n]{1,60}$")]
    # The number of the fund's bank in the clearing system, where the channel has to name it.
    cnaps: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    reserve_yuan: Annotated[int, Field(ge=0)] = 0
    window: Annotated[AtOnce | Daily | Monthly, Field(discriminator="kind")] = AtOnce()
    hours: BankHours | None = None
    lines_max: PositiveInt | None = None
    association: bool = False

    @model_validator(mode="after")
    def _names_its_bank(self) -> "Fund":
        if self.channel == "iso20022" and self.cnaps is None:
            raise ValueError("channel iso20022 needs cnaps")
        return self

    @property
    def reserve_fen(self) -> Fen:
        return Fen(self.reserve_yuan * 100)


class Funds(_Said):
    """All funds of the installation."""

    funds: Annotated[tuple[Fund, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _every_scheme_has_one(self) -> "Funds":
        for name in ("fund_id", "account"):
            if len({getattr(fund, name) for fund in self.funds}) != len(self.funds):
                raise ValueError(f"{name} is not unique")
        if "*" not in self.funds[-1].schemes:
            raise ValueError("the last fund must take every scheme ('*')")
        return self

    @property
    def by_id(self) -> Mapping[str, Fund]:
        return {fund.fund_id: fund for fund in self.funds}

    def paying(self, scheme_id: str) -> Fund:
        """Give the fund that pays a scheme."""
        return next(
            fund
            for fund in self.funds
            if any(fnmatchcase(scheme_id, pattern) for pattern in fund.schemes)
        )


def read_funds(path: Path | None = None) -> Funds:
    """Read the funds, or refuse the file: without them nothing may be paid."""
    text = (path or _DATA).read_text(encoding="utf-8")
    return Funds.model_validate(yaml.safe_load(text))
