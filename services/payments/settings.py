"""The knobs of payments, each with its unit in its name."""

from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from services.common.kit.settings import Port, ServiceSettings, knobs

# While work remains nobody sleeps longer.
PauseMs = Annotated[PositiveInt, Field(le=2_000)]

TEN_BILLION_YUAN_FEN = 10_000_000_000_00


def _opening_fund(known: dict[str, Any]) -> int:
    return TEN_BILLION_YUAN_FEN if known["profile"] == "development" else 0


def _result_poll(known: dict[str, Any]) -> int:
    return 100 if known["profile"] == "development" else 2_000


class Settings(ServiceSettings):
    """Read from the environment with the prefix `PAYMENTS_`."""

    model_config = knobs("PAYMENTS_")

    port: Port = 8103
    # A batch is cut when so many payouts wait, or when the oldest has waited so long.
    batch_payouts_max: Annotated[PositiveInt, Field(le=5_000)] = 1_000
    batch_wait_ms: PositiveInt = 1_000
    batch_poll_ms: PauseMs = 1_000
    # While so many batches are under way the next ones wait: the bank is behind.
    batches_open_max: PositiveInt = 200

    bank_url: str = "http://127.0.0.1:8190"
    bank_timeout_s: PositiveFloat = 10.0
    bank_calls_max: PositiveInt = 4
    bank_account: Annotated[str, Field(pattern=r"^[0-9]{6,32}$")] = "0200000000000000001"
    bank_unit: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,20}$")] = "UNION01"
    bank_remark: Annotated[str, Field(pattern=r"^[^|\r\n]{0,30}$")] = "职工医疗互助金"
    # How soon a batch is asked about again; while nothing changes the pause grows to the longest.
    result_poll_ms: PauseMs = Field(default_factory=_result_poll)
    result_poll_max_ms: PauseMs = 2_000

    fund_opening_fen: NonNegativeInt = Field(default_factory=_opening_fund)

    page_rows: PositiveInt = 50
