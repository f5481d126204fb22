"""The knobs of payments, each with its unit in its name."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from services.common.kit.settings import Port, ServiceSettings, knobs

# While work remains nobody sleeps longer.
PauseMs = Annotated[PositiveInt, Field(le=2_000)]


class Tier(BaseModel):
    """From `from_yuan` a payout on, so many makers and checkers have to approve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_yuan: NonNegativeInt
    makers: NonNegativeInt = 0
    checkers: NonNegativeInt = 1


TEN_BILLION_YUAN_FEN = 10_000_000_000_00


def _opening_fund(known: dict[str, Any]) -> int:
    return TEN_BILLION_YUAN_FEN if known["profile"] == "development" else 0


def _result_poll(known: dict[str, Any]) -> int:
    return 20 if known["profile"] == "development" else 2_000


def _movements_poll(known: dict[str, Any]) -> float:
    return 1.0 if known["profile"] == "development" else 30.0


def _statement_ask(known: dict[str, Any]) -> float:
    return 5.0 if known["profile"] == "development" else 600.0


def _match_wait(known: dict[str, Any]) -> float:
    return 30.0 if known["profile"] == "development" else 3_600.0


def _approval_tiers(known: dict[str, Any]) -> tuple[Tier, ...]:
    if known["profile"] == "development":
        return (Tier(from_yuan=1_000_000),)
    return (
        Tier(from_yuan=50_000),
        Tier(from_yuan=200_000, makers=1),
        Tier(from_yuan=1_000_000, makers=1, checkers=2),
    )


class Settings(ServiceSettings):
    """Read from the environment with the prefix `PAYMENTS_`."""

    model_config = knobs("PAYMENTS_")

    port: Port = 8103
    # A batch is cut when so many payouts wait, or when the oldest has waited so long; a few go at
    # once where their bank has nothing of the lane under way. What a batch costs however few it
    # holds is a tenth of a payout's cost in batches of 1,000; the banks take 5,000 and more.
    batch_payouts_max: Annotated[PositiveInt, Field(le=5_000)] = 4_000
    batch_wait_ms: PositiveInt = 1_000
    batch_poll_ms: PauseMs = 1_000
    # While so many batches are under way the next ones wait: the bank is behind.
    batches_open_max: PositiveInt = 200

    # The funds, their accounts and banks; without a file those of a development installation.
    funds_file: Path | None = None
    # From these amounts a payout on, so many people have to approve its batch.
    approval_tiers: tuple[Tier, ...] = Field(default_factory=_approval_tiers)

    bank_url: str = "http://127.0.0.1:8190"
    bank_timeout_s: PositiveFloat = 10.0
    bank_calls_max: PositiveInt = 4
    bank_unit: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,20}$")] = "UNION01"
    bank_remark: Annotated[str, Field(pattern=r"^[^|\r\n]{0,30}$")] = "职工医疗互助金"
    # How soon a batch is asked about again; while nothing changes the pause grows to the longest.
    result_poll_ms: PauseMs = Field(default_factory=_result_poll)
    result_poll_max_ms: PauseMs = 2_000
    # A transfer of which nobody has known so long what became of it is listed, with an owner.
    doubt_after_s: PositiveFloat = 60.0
    # How often the banks are asked what moved on our accounts, and for a day's statement again.
    movements_poll_s: PositiveFloat = Field(default_factory=_movements_poll)
    statement_ask_s: PositiveFloat = Field(default_factory=_statement_ask)
    # A line of the bank's that has had no counterpart for so long is listed as an exception.
    match_wait_s: PositiveFloat = Field(default_factory=_match_wait)
    # The drop folder that is shared with the bank that speaks ISO 20022.
    iso_dir: Path = Path("var/wire/iso20022")
    cmb_uid: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}$")] = "UNION01"
    cmb_sm4_key_file: Path | None = None
    cmb_private_key_file: Path | None = None
    cmb_bank_public_key_file: Path | None = None

    # A refused or returned payout is said to wait after so many days, and again after as many.
    remind_after_days: PositiveInt = 7

    fund_opening_fen: NonNegativeInt = Field(default_factory=_opening_fund)

    page_rows: PositiveInt = 50
