"""What members may ask: to sign in, and for what is their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from gateway import logins
from gateway.auth import ANYONE, MEMBERS, GuardedRoute, opened_to
from gateway.parts import DeskDep, Parts, PartsDep
from gateway.schemas import member as schemas
from gateway.schemas.words import Cursor, PageSize
from gateway.timeline import told_claim

router = APIRouter(tags=["member"], route_class=GuardedRoute)

_Cursor = Annotated[Cursor | None, Query()]
_Limit = Annotated[PageSize, Query()]


@router.post("/auth/wechat", responses={409: {"model": schemas.PhoneProofProblem}})
@opened_to(ANYONE)
async def sign_in_by_wechat(asked: schemas.WeChatIn, parts: PartsDep) -> schemas.MemberTokensOut:
    return _shown(parts, await logins.sign_in_by_wechat(parts, asked.code))


@router.post("/auth/sms-code", status_code=202)
@opened_to(ANYONE)
async def send_code(asked: schemas.SmsCodeIn, parts: PartsDep) -> schemas.SmsCodeOut:
    await logins.send_code(parts, asked.phone)
    return schemas.SmsCodeOut(expires_in=parts.settings.login_code_s)


@router.post("/auth/sms")
@opened_to(ANYONE)
async def sign_in_by_code(asked: schemas.SmsIn, parts: PartsDep) -> schemas.MemberTokensOut:
    tokens = await logins.sign_in_by_code(parts, asked.phone, asked.code, asked.bind_ticket)
    return _shown(parts, tokens)


@router.post("/auth/refresh")
@opened_to(ANYONE)
async def refresh(asked: schemas.TokenRefresh, parts: PartsDep) -> schemas.MemberTokensOut:
    return _shown(parts, await logins.refresh(parts, asked.refresh_token))


@router.get("/me")
@opened_to(MEMBERS)
async def get_me(desk: DeskDep) -> schemas.MeOut:
    return await desk.get(desk.enrollment, f"/members/{desk.caller.id}", schemas.MeOut)


@router.get("/me/coverages")
@opened_to(MEMBERS)
async def get_coverages(desk: DeskDep) -> schemas.Coverages:
    path = f"/members/{desk.caller.id}/coverages"
    return await desk.get(desk.enrollment, path, schemas.Coverages)


@router.get("/me/claims")
@opened_to(MEMBERS)
async def get_claims(
    desk: DeskDep, cursor: _Cursor = None, limit: _Limit = 20
) -> schemas.ClaimLines:
    path, answer = f"/members/{desk.caller.id}/claims", schemas.ClaimLines
    return await desk.get(desk.claims, path, answer, cursor=cursor, limit=limit)


@router.get("/me/claims/{claim_id}")
@opened_to(MEMBERS)
async def get_claim(claim_id: UUID, parts: PartsDep, desk: DeskDep) -> schemas.ClaimOut:
    return await told_claim(desk, desk.caller.uuid, claim_id, parts.settings.timeline_pages_max)


@router.get("/me/payouts")
@opened_to(MEMBERS)
async def get_payouts(desk: DeskDep, cursor: _Cursor = None) -> schemas.PayoutLines:
    asked = {"member_id": desk.caller.id, "cursor": cursor}
    return await desk.get(desk.payments, "/payouts", schemas.PayoutLines, **asked)


@router.get(
    "/me/payouts/{payout_id}/slip.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "the bank's receipt"}},
)
@opened_to(MEMBERS)
async def get_payout_slip(payout_id: UUID, desk: DeskDep) -> Response:
    path = f"/members/{desk.caller.id}/payouts/{payout_id}/slip.pdf"
    return desk.relayed(desk.payments, path, "application/pdf")


@router.get("/me/messages")
@opened_to(MEMBERS)
async def get_messages(desk: DeskDep, cursor: _Cursor = None) -> schemas.MessageLines:
    asked = {"member_id": desk.caller.id, "cursor": cursor}
    return await desk.get(desk.notify, "/messages", schemas.MessageLines, **asked)


def _shown(parts: Parts, tokens: logins.MemberTokens) -> schemas.MemberTokensOut:
    return schemas.MemberTokensOut(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        expires_in=parts.settings.access_token_s,
    )
