"""What a caller sees: problems for refusals, nothing of what went wrong inside; who may call."""

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Body, FastAPI
from prometheus_client import REGISTRY
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from services.common.errors import Conflict, Invalid, NotFound, Unavailable
from services.common.ids import new_id
from services.common.kit import auth, keys, problems
from services.common.kit.auth import (
    CallerDep,
    CallerUnknown,
    NotAllowed,
    require_hospital,
    require_member,
    require_role,
    require_service,
)
from services.common.kit.settings import Profile, SharedSettings
from services.common.kit.uploads import UploadTooLarge

CANARY = "11010519491231002X"
router = APIRouter()


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    certno: int


class ClaimAlreadySettled(Conflict):
    """The claim has been settled.

    What more there is to say is for us.
    """

    code = "CLAIM_ALREADY_SETTLED"


ERRORS: dict[str, Exception] = {
    "settled": ClaimAlreadySettled(CANARY),
    "missing": NotFound(),
    "later": Unavailable(),
    "invalid": Invalid(),
    "big": UploadTooLarge(),
    "bug": KeyError(CANARY),
    "database": asyncpg.CannotConnectNowError("starting up"),
    "late": TimeoutError(),
}


@router.get("/errors/{name}")
async def fail(name: str) -> None:
    raise ERRORS[name]


@router.post("/rows")
async def take(rows: Annotated[dict[str, list[Row]], Body()]) -> int:
    return len(rows)


@router.get("/me")
async def me(caller: CallerDep) -> UUID:
    return require_member(caller)


@router.post("/reviews")
async def review(caller: CallerDep) -> UUID:
    return require_role(caller, "reviewer")


@router.get("/ping")
async def ping(request: Request) -> int:
    return len(request.headers)


def settings_of(folder: Path, profile: Profile = "strict") -> SharedSettings:
    keys.ensure_keys(folder / "keys")
    return SharedSettings(var_dir=folder, profile=profile)


def build(settings: SharedSettings) -> FastAPI:
    app = FastAPI()
    problems.install(app)
    auth.install(app, settings, public={"/ping"})
    app.include_router(router)
    outer = APIRouter(prefix="/api")
    outer.include_router(router, prefix="/v1")
    app.include_router(outer)
    return app


def client_of(app: FastAPI, settings: SharedSettings | None = None) -> httpx.AsyncClient:
    proof = {} if settings is None else {"authorization": f"Bearer {auth.internal_token(settings)}"}
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://x", headers=proof)


def of(caller: auth.Caller) -> dict[str, str]:
    return {"x-caller": caller.header()}


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    settings = settings_of(tmp_path)
    async with client_of(build(settings), settings) as client:
        client.headers["x-caller"] = "service:gateway"
        yield client


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("settled", 409, "CLAIM_ALREADY_SETTLED"),
        ("missing", 404, "NOT_FOUND"),
        ("later", 503, "UNAVAILABLE"),
        ("invalid", 422, "INVALID"),
        ("big", 413, "UPLOAD_TOO_LARGE"),
        ("bug", 500, "INTERNAL_ERROR"),
        ("database", 503, "UNAVAILABLE"),
        ("late", 503, "UNAVAILABLE"),
    ],
)
async def test_every_error_is_a_problem_with_a_stable_code(
    inside: httpx.AsyncClient, name: str, status: int, code: str
) -> None:
    answer = await inside.get(f"/errors/{name}")
    assert answer.status_code == answer.json()["status"] == status
    assert answer.json()["code"] == code
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) == (status == 503)
    assert CANARY not in answer.text


async def test_the_detail_is_the_sentence_of_the_refusal(inside: httpx.AsyncClient) -> None:
    answer = (await inside.get("/errors/settled")).json()
    assert answer["detail"] == "The claim has been settled."
    assert answer["title"] == "Conflict"


async def test_a_refused_field_is_named_without_its_value(inside: httpx.AsyncClient) -> None:
    body = {"rows": [{"certno": CANARY}], CANARY: [{"certno": 1, f"{CANARY} 张三": 2}]}
    answer = await inside.post("/rows", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "INVALID_REQUEST"
    assert answer.json()["errors"] == [
        {"path": "body.rows.0.certno", "code": "int_parsing"},
        {"path": "body.?.0.?", "code": "extra_forbidden"},
    ]
    assert CANARY not in answer.text


async def test_a_body_over_the_bound_is_refused_announced_or_not() -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    app = FastAPI()
    problems.install(app, body_bytes_max=1_000)
    app.include_router(router)
    json_type = {"content-type": "application/json"}
    async with client_of(app) as client:
        for content in (b"x" * 1_001, unannounced()):
            answer = await client.post("/rows", content=content, headers=json_type)
            assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
        fits = b'{"rows": []}'.ljust(1_000)
        assert (await client.post("/rows", content=fits, headers=json_type)).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b""])
async def test_a_body_that_is_not_json_is_refused(inside: httpx.AsyncClient, body: bytes) -> None:
    answer = await inside.post("/rows", content=body)
    assert (answer.status_code, answer.json()["code"]) in {
        (422, "INVALID_REQUEST"),
        (400, "BAD_REQUEST"),
    }


async def test_unknown_routes_and_methods_are_problems_too(inside: httpx.AsyncClient) -> None:
    assert (await inside.get("/nothing")).json()["code"] == "NO_SUCH_ROUTE"
    assert (await inside.delete("/rows")).json()["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_requests_are_counted_by_whole_template_and_status(
    inside: httpx.AsyncClient, prefix: str
) -> None:
    labels = {"method": "GET", "route": f"{prefix}/errors/{{name}}", "status": "409"}

    def counted() -> float:
        return REGISTRY.get_sample_value("http_requests_total", labels) or 0

    before = counted()
    await inside.get(f"{prefix}/errors/settled")
    assert counted() == before + 1


async def test_the_contract_shows_problems(tmp_path: Path) -> None:
    shown = build(settings_of(tmp_path)).openapi()
    answers = shown["paths"]["/rows"]["post"]["responses"]
    assert "application/problem+json" in answers["422"]["content"]
    assert "HTTPValidationError" not in str(answers)


async def test_a_call_from_elsewhere_is_refused_before_anything_is_looked_at(
    tmp_path: Path,
) -> None:
    app = build(settings_of(tmp_path))
    member = of(auth.member(new_id()))
    async with client_of(app) as client:
        for headers in (
            member,
            {**member, "authorization": "Bearer wrong"},
            {**member, "authorization": "Bearer "},
        ):
            for path in ("/me", "/nothing", "/openapi.json"):
                answer = await client.get(path, headers=headers)
                assert answer.status_code == 401
                assert answer.json()["code"] == "INTERNAL_BEARER_MISSING"
        assert (await client.get("/ping")).status_code == 200


@pytest.mark.parametrize(
    "told",
    [
        "",
        "member",
        "member:7",
        "member:00000000-0000-0000-0000-000000000007:admin",
        "staff:00000000-0000-0000-0000-000000000007",
        "staff:00000000-0000-0000-0000-000000000007:reviewer",
        "staff:00000000-0000-0000-0000-000000000007:re viewer:*",
        "hospital:",
        "hospital:a:b",
        "service:../x",
        "root:1",
    ],
)
async def test_a_caller_in_no_agreed_form_is_refused(inside: httpx.AsyncClient, told: str) -> None:
    answer = await inside.get("/me", headers={"x-caller": told})
    assert (answer.status_code, answer.json()["code"]) == (401, "CALLER_UNKNOWN")


async def test_two_callers_in_one_request_are_none(inside: httpx.AsyncClient) -> None:
    del inside.headers["x-caller"]
    twice = [("x-caller", auth.member(new_id()).header())] * 2
    assert (await inside.get("/me", headers=twice)).status_code == 401


async def test_the_route_is_told_on_whose_behalf_it_is_called(inside: httpx.AsyncClient) -> None:
    member, person = new_id(), new_id()
    mine = await inside.get("/me", headers=of(auth.member(member)))
    assert mine.json() == str(member)
    reviewer = of(auth.staff(person, "reviewer", "U-01"))
    assert (await inside.post("/reviews", headers=reviewer)).json() == str(person)
    for other in (auth.staff(person, "admin"), auth.member(member), auth.hospital("H1")):
        refused = await inside.post("/reviews", headers=of(other))
        assert (refused.status_code, refused.json()["code"]) == (403, "NOT_ALLOWED")


async def test_admin_may_do_every_staff_act_in_development_only(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "development")
    async with client_of(build(settings), settings) as client:
        admin = of(auth.staff(new_id(), "admin"))
        assert (await client.post("/reviews", headers=admin)).status_code == 200
        auditor = of(auth.staff(new_id(), "auditor"))
        assert (await client.post("/reviews", headers=auditor)).status_code == 403


@pytest.mark.parametrize(
    "caller",
    [
        auth.member(UUID(int=1)),
        auth.staff(UUID(int=1), "reviewer"),
        auth.staff(UUID(int=1), "filing_officer", "U-01"),
        auth.hospital("H11010100001"),
        auth.service("gateway"),
    ],
)
def test_a_caller_survives_the_header(caller: auth.Caller) -> None:
    assert auth.Caller.parse(caller.header()) == caller


def test_scopes_and_kinds_are_kept_apart() -> None:
    assert auth.staff(UUID(int=1), "r", "U-01").sees_unit("U-01")
    assert not auth.staff(UUID(int=1), "r", "U-01").sees_unit("U-02")
    assert auth.staff(UUID(int=1), "r").sees_unit("U-02")
    assert require_hospital(auth.hospital("H1")) == "H1"
    assert require_service(auth.service("gateway"), "gateway") == "gateway"
    with pytest.raises(NotAllowed):
        require_hospital(auth.service("H1"))
    with pytest.raises(NotAllowed):
        require_service(auth.service("claims"), "gateway")
    with pytest.raises(NotAllowed):
        require_member(auth.hospital("H1"))
    with pytest.raises(CallerUnknown):
        auth.Caller.parse("hospital:H 1")
