"""Who may ask which route: the whole matrix, from the route table itself."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from gateway.auth import (
    ANYONE,
    HOSPITALS,
    MEMBERS,
    ROLES,
    GuardedRoute,
    StaffOnly,
    policy_of,
)
from gateway.limits import PREFIX
from gateway.routes import benefits, finance, hospital, member, mend, schemes, staff
from services.common.ids import new_id
from tests.gateway.conftest import MakeHouse
from tests.gateway.house import House

ROOMS = (
    staff.router,
    finance.router,
    schemes.router,
    hospital.router,
    member.router,
    mend.router,
    benefits.router,
)
REFUSED = (401, 403)


def _routes() -> Iterator[APIRoute]:
    for room in ROOMS:
        for route in room.routes:
            assert isinstance(route, GuardedRoute), route
            yield route


def _asked(route: APIRoute) -> tuple[str, str]:
    (method,) = list(route.methods or ())
    values = {"code": "U1", "setl_id": "S1", "scheme_id": "wh.medical", "month": "2026-11"}
    path = re.sub(r"{(\w+)}", lambda found: values.get(found[1], str(UUID(int=7))), route.path)
    return method, PREFIX + path


STAFF_ROUTES = [route for route in _routes() if isinstance(policy_of(route.endpoint), StaffOnly)]
GUARDED = [route for route in _routes() if policy_of(route.endpoint) is not ANYONE]


def test_every_route_declares_a_policy() -> None:
    assert len(STAFF_ROUTES) == 48
    policies = [policy_of(route.endpoint) for route in _routes()]
    assert [policies.count(one) for one in (HOSPITALS, MEMBERS, ANYONE)] == [4, 11, 7]


def test_a_route_without_a_policy_cannot_be_built() -> None:
    room = APIRouter(route_class=GuardedRoute)

    async def forgotten() -> None: ...

    with pytest.raises(KeyError):
        room.add_api_route("/forgotten", forgotten)


def test_the_inventory_is_the_openapi_page(house_app_paths: dict[str, set[str]]) -> None:
    declared: dict[str, set[str]] = {}
    for route in _routes():
        declared.setdefault(PREFIX + route.path, set()).update(
            method.lower() for method in route.methods or ()
        )
    assert house_app_paths == declared


@pytest.fixture
async def house_app_paths(house: House) -> dict[str, set[str]]:
    page = (await house.client().get("/openapi.json")).json()
    return {path: set(methods) for path, methods in page["paths"].items()}


async def test_nobody_gets_past_a_guarded_route(house: House) -> None:
    client = house.client()
    for route in GUARDED:
        method, path = _asked(route)
        answer = await client.request(method, path, content=b"{not json")
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
    assert not [call for fake in house.fakes.values() for call in fake.calls]


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_opens_its_own_routes_and_no_other(make_house: MakeHouse, role: str) -> None:
    house = await make_house("strict", staff_requests_per_s=1_000, address_requests_per_s=1_000)
    client = await house.staff(role)
    for route in STAFF_ROUTES:
        method, path = _asked(route)
        policy = policy_of(route.endpoint)
        assert isinstance(policy, StaffOnly)
        answer = await client.request(method, path, json={})
        assert (answer.status_code not in REFUSED) == (role in policy.roles), (role, path)


async def test_in_development_admin_may_do_every_staff_act(house: House) -> None:
    client = await house.staff("admin")
    for route in STAFF_ROUTES:
        answer = await client.request(*_asked(route), json={})
        assert answer.status_code not in REFUSED, route.path


async def test_a_staff_token_opens_no_member_and_no_hospital_route(house: House) -> None:
    client = await house.staff("admin")
    for route in GUARDED:
        if route not in STAFF_ROUTES:
            assert (await client.request(*_asked(route))).status_code == 401, route.path


async def test_who_is_asking_comes_from_the_proof_and_never_from_a_header(house: House) -> None:
    client = await house.staff("auditor")
    forged = {"x-caller": f"staff:{new_id()}:admin:*", "x-user": "root", "cookie": "a=b"}
    await client.get("/api/v1/staff/reports/books", headers=forged)
    [call, *_] = house.fakes["claims"].calls
    assert (call.caller.kind, call.caller.role) == ("staff", "auditor")
    assert "x-user" not in call.headers
    assert "cookie" not in call.headers
    assert call.headers["authorization"] == f"Bearer {house.parts.services.claims.token}"


async def test_the_pages_of_documentation_are_for_development_only(strict_house: House) -> None:
    client = strict_house.client()
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert (await client.get(path)).status_code == 404


async def test_every_answer_is_private(strict_house: House) -> None:
    answer = await strict_house.client().get("/api/v1/me")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in answer.headers["strict-transport-security"]
