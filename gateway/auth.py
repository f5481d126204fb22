"""Who may do what: every route declares its policy, and is answered only after the policy agrees.

The policy is asked before a byte of the body is read. A route without one cannot be built.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from gateway import signatures, store
from gateway.errors import NotSignedIn
from gateway.parts import Parts, parts_of
from gateway.proofs import fingerprint
from services.common.kit import auth
from services.common.kit.auth import Caller, NotAllowed

ROLES = ("admin", "filing_officer", "reviewer", "finance_maker", "finance_checker", "auditor")

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])


class Policy(Protocol):
    async def admit(self, parts: Parts, request: Request) -> Caller:
        """Say who is asking, or refuse."""
        ...


@dataclass(frozen=True, slots=True)
class StaffOnly:
    """Staff in one of the roles; in development admin may do every staff act."""

    roles: frozenset[str]

    async def admit(self, parts: Parts, request: Request) -> Caller:
        token_sha256 = fingerprint(bearer(request))
        async with parts.database.begin(single=True) as unit:
            known = await store.staff_of_session(unit, token_sha256)
        if known is None:
            raise NotSignedIn
        caller = auth.staff(*known)
        _bound(parts, caller, parts.settings.staff_requests_per_s)
        if caller.role in self.roles or (parts.is_development and caller.role == "admin"):
            return caller
        raise NotAllowed


@dataclass(frozen=True, slots=True)
class MembersOnly:
    """Members, each for what is their own."""

    async def admit(self, parts: Parts, request: Request) -> Caller:
        token_sha256 = fingerprint(bearer(request))
        async with parts.database.begin(single=True) as unit:
            member_id = await store.member_of_token(unit, token_sha256)
        if member_id is None:
            raise NotSignedIn
        caller = auth.member(member_id)
        _bound(parts, caller, parts.settings.member_requests_per_s)
        return caller


@dataclass(frozen=True, slots=True)
class HospitalsOnly:
    """Partner hospitals, by signature."""

    async def admit(self, parts: Parts, request: Request) -> Caller:
        code = await signatures.partner_of(
            request,
            parts.signers,
            public_url=parts.settings.public_url,
            window=parts.signature_window,
        )
        caller = auth.hospital(code)
        _bound(parts, caller, parts.settings.hospital_requests_per_s)
        return caller


@dataclass(frozen=True, slots=True)
class Anyone:
    """Whoever has still to prove who they are; bounded by address alone."""

    async def admit(self, parts: Parts, request: Request) -> Caller:
        del parts, request
        return auth.service("gateway")


MEMBERS, HOSPITALS, ANYONE = MembersOnly(), HospitalsOnly(), Anyone()
_POLICIES: dict[Callable[..., object], Policy] = {}


def staff(*roles: str) -> StaffOnly:
    assert set(roles) <= set(ROLES), roles
    return StaffOnly(frozenset(roles))


def opened_to(policy: Policy) -> Callable[[Endpoint], Endpoint]:
    """Declare who may ask this route; it stands directly above the function."""

    def declare(endpoint: Endpoint) -> Endpoint:
        _POLICIES[endpoint] = policy
        return endpoint

    return declare


def policy_of(endpoint: Callable[..., object]) -> Policy:
    return _POLICIES[endpoint]  # no policy, no route: deny by default


class GuardedRoute(APIRoute):
    """A route behind its policy."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        policy = policy_of(self.endpoint)
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.caller = await policy.admit(await parts_of(request), request)
            return await answer(request)

        return guarded


def bearer(request: Request) -> str:
    """Give the one bearer token of the request."""
    lines = request.headers.getlist("authorization")
    kind, _, token = lines[0].partition(" ") if len(lines) == 1 else ("", "", "")
    if kind.lower() != "bearer" or not token:
        raise NotSignedIn
    return token


def _bound(parts: Parts, caller: Caller, per_s: float) -> None:
    key = f"{caller.kind} {caller.id}"
    parts.buckets.take(key, per_s=per_s, burst=per_s * parts.settings.limit_burst_s)
