"""Mending a card by the code of a text, without signing in: the code and the number's end prove it.

The card is taken before the code is used up. A crash in between leaves a code that takes the same
card once more and no other: a card is taken only in place of the one that the bank did not take.
"""

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.auth import ANYONE, GuardedRoute, opened_to
from gateway.errors import CardUnchanged, MendCodeUnknown, ServiceRefused
from gateway.parts import DeskDep, PartsDep
from gateway.schemas import mend as schemas
from gateway.schemas.words import Nothing
from gateway.upstream import Desk, Model
from services.common.kit import auth

router = APIRouter(prefix="/mend", tags=["member"], route_class=GuardedRoute)


@router.post("/look")
@opened_to(ANYONE)
async def look(asked: schemas.MendLook, desk: DeskDep) -> schemas.MendShown:
    told, member = await _proved(desk, asked)
    if member.payee_version != told.payee_version:
        raise MendCodeUnknown
    return schemas.MendShown(
        name=member.name, card_tail=member.card_tail, reason=told.reason, amount=told.amount
    )


@router.post("")
@opened_to(ANYONE)
async def mend(asked: schemas.MendIn, parts: PartsDep, desk: DeskDep) -> schemas.MendOut:
    told, _ = await _proved(desk, asked)
    card = schemas.CardAsked(
        card_number=asked.card_number,
        card_bank=asked.card_bank,
        account_name=asked.account_name,
        instead_of=told.payee_version,
    )
    path, own = f"/members/{told.member_id}/payee", parts.desk(auth.member(told.member_id))
    try:
        taken = await own.send(own.enrollment, "PUT", path, schemas.CardTaken, _json(card))
    except ServiceRefused as refusal:
        if refusal.code == "PAYEE_MOVED":
            raise MendCodeUnknown from refusal
        raise
    if taken.payee_version == told.payee_version:
        raise CardUnchanged
    await _of_code(desk, "use", asked.code, Nothing)
    return schemas.MendOut(card_tail=taken.card_tail)


async def _proved(desk: Desk, asked: schemas.MendLook) -> tuple[schemas.Mendable, schemas.Proved]:
    """Count a try of the code, and give it back unless the number's end was wrong."""
    told = await _of_code(desk, "try", asked.code, schemas.Mendable)
    path, proof = f"/members/{told.member_id}/proof", schemas.ProofAsked(id_tail=asked.id_tail)
    wrong = False
    try:
        member = await desk.send(desk.enrollment, "POST", path, schemas.Proved, _json(proof))
    except ServiceRefused as refusal:
        wrong = refusal.status == HTTPStatus.NOT_FOUND
        if wrong:
            raise MendCodeUnknown from refusal
        raise
    finally:
        if not wrong:
            await _of_code(desk, "give-back", asked.code, Nothing)
    return told, member


async def _of_code(desk: Desk, act: str, code: str, answer: type[Model]) -> Model:
    asked = schemas.CodeAsked(code=code)
    try:
        return await desk.send(desk.notify, "POST", f"/mend-codes/{act}", answer, _json(asked))
    except ServiceRefused as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            raise MendCodeUnknown from refusal
        raise


def _json(asked: BaseModel) -> dict[str, object]:
    return asked.model_dump(exclude_none=True)
