"""What the sandbox does wrong next, on order; orders live in memory and end with the process."""

from typing import Annotated, Literal, Self, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

Times = Annotated[int, Field(ge=1, le=1_000_000, description="how many requests it spoils")]
Delay = Annotated[float, Field(ge=0, le=600, description="seconds, for kind delay")]


class Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    times: Times = 1


F = TypeVar("F", bound=Fault)


class BankUploadFault(Fault):
    """Spoils the upload of a batch file.

    drop_request: hung up, never seen by the bank · drop_answer: booked, closed, then hung up ·
    delay: the file lies on the line first · status_500: answered 500, never seen by the bank ·
    hold: taken and answered, booked only after POST /bank/release.
    """

    target: Literal["bank_upload"]
    kind: Literal["drop_request", "drop_answer", "delay", "status_500", "hold"]
    delay_s: Delay = 0.0

    @model_validator(mode="after")
    def _a_delay_has_a_length(self) -> Self:
        return _with_delay(self, self.kind, self.delay_s)


class BankResultFault(Fault):
    """Spoils a result file that is ready; what is kept on the disk stays right.

    never_ready: 404 · truncated: the last third is missing · wrong_control_sum: the trailer is a
    fen off · line_in_process: the first line still says 2 · garbage: noise · twice: every line
    twice · reencoded: UTF-8 with a mark in front · unknown_ids: one line more, under an instruction
    id nobody sent · stale: every line still says 2.
    """

    target: Literal["bank_result"]
    kind: Literal[
        "never_ready",
        "truncated",
        "wrong_control_sum",
        "line_in_process",
        "garbage",
        "twice",
        "reencoded",
        "unknown_ids",
        "stale",
    ]


class BankMovementsFault(Fault):
    """Spoils a page of movements or a day statement; what is kept on the disk stays right.

    twice: every row twice · truncated: the last third is missing · out_of_order: newest first.
    """

    target: Literal["bank_movements"]
    kind: Literal["twice", "truncated", "out_of_order"]


class IsoOrderFault(Fault):
    """Holds an order that lies in the drop folder: taken and answered, booked when released."""

    target: Literal["iso_order"]
    kind: Literal["hold"]


class IsoReportFault(Fault):
    """Spoils the final report (pain.002) on an order.

    truncated: the last third is missing · garbage: no XML · twice: each line twice · unknown_ids:
    a line about something nobody ordered · stale: every line in process; after all of these the
    right one follows under the next number. exceptions_only: no lines where all is settled.
    """

    target: Literal["iso_report"]
    kind: Literal["truncated", "garbage", "twice", "unknown_ids", "stale", "exceptions_only"]


class IsoNoticeFault(Fault):
    """Spoils a notice of movements (camt.054).

    truncated, garbage, twice (each movement twice): the right one follows under the next number ·
    out_of_order: the movements backwards.
    """

    target: Literal["iso_notice"]
    kind: Literal["truncated", "garbage", "twice", "out_of_order"]


class CmbFault(Fault):
    """Spoils a call of the API door.

    drop_request: hung up, never seen · drop_answer: done, then hung up · delay: the call lies on
    the line first · busy: answered NCB009, never seen · garbage: done, answered with noise.
    """

    target: Literal["cmb"]
    kind: Literal["drop_request", "drop_answer", "delay", "busy", "garbage"]
    delay_s: Delay = 0.0

    @model_validator(mode="after")
    def _a_delay_has_a_length(self) -> Self:
        return _with_delay(self, self.kind, self.delay_s)


class SmsFault(Fault):
    """Spoils SendSms and SendBatchSms.

    drop_request: hung up, nothing sent · drop_answer: sent, then hung up · delay: the request lies
    on the line first, and may be stale when it arrives · error: answered with the code, nothing
    sent · no_receipt, duplicate_receipt: sent and answered, the receipts misbehave.
    """

    target: Literal["sms"]
    kind: Literal[
        "drop_request", "drop_answer", "delay", "error", "no_receipt", "duplicate_receipt"
    ]
    delay_s: Delay = 0.0
    code: str = Field("", pattern=r"^(is[vp]\.[A-Z_]+)?$", description="for kind error")

    @model_validator(mode="after")
    def _an_order_is_whole(self) -> Self:
        if (self.kind == "error") != bool(self.code):
            raise ValueError("code belongs to kind error, and to no other")
        return _with_delay(self, self.kind, self.delay_s)


class WeChatFault(Fault):
    """Answers every call with errcode -1."""

    target: Literal["wechat"]
    kind: Literal["busy"]


AnyFault = (
    BankUploadFault
    | BankResultFault
    | BankMovementsFault
    | IsoOrderFault
    | IsoReportFault
    | IsoNoticeFault
    | CmbFault
    | SmsFault
    | WeChatFault
)


class FaultOrder(RootModel[Annotated[AnyFault, Field(discriminator="target")]]):
    """One fault."""


class Faults:
    def __init__(self) -> None:
        self._pending: list[AnyFault] = []

    def routes(self) -> APIRouter:
        router = APIRouter(tags=["faults"])
        router.add_api_route("/faults", self.order, methods=["POST"], status_code=201)
        router.add_api_route("/faults", self.pending, methods=["GET"])
        router.add_api_route("/faults", self.clear, methods=["DELETE"])
        return router

    async def order(self, order: FaultOrder) -> list[AnyFault]:
        self._pending.append(order.root)
        return self._pending

    async def pending(self) -> list[AnyFault]:
        return self._pending

    async def clear(self) -> list[AnyFault]:
        self._pending = []
        return self._pending

    def take(self, target: type[F]) -> F | None:
        """Use up one time of the oldest order for the target."""
        for place, fault in enumerate(self._pending):
            if isinstance(fault, target):
                if fault.times == 1:
                    del self._pending[place]
                else:
                    fault.times -= 1
                return fault
        return None


def _with_delay(fault: F, kind: str, delay_s: float) -> F:
    if (kind == "delay") != bool(delay_s):
        raise ValueError("delay_s belongs to kind delay, and to no other")
    return fault
