"""Who calls a service: our own processes only, each call on behalf of somebody.

The gateway has proved who the person or hospital is; it names them in `x-caller` beside the
internal bearer. A call without the bearer is refused before its body is read.
"""

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol, cast
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.errors import Forbidden, Unauthorized
from services.common.kit.problems import respond_to

CALLER_HEADER: Final = "x-caller"
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
WHOLE_UNION: Final = "*"

CallerKind = Literal["member", "staff", "hospital", "service"]
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class NotOurs(Unauthorized):
    """The call does not come from one of our own processes."""

    code = "INTERNAL_BEARER_MISSING"


class CallerUnknown(Unauthorized):
    """The call does not say, or not in the agreed form, on whose behalf it is made."""

    code = "CALLER_UNKNOWN"


class NotAllowed(Forbidden):
    """The caller is somebody else than this route is for."""

    code = "NOT_ALLOWED"


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a call is made."""

    kind: CallerKind
    id: str
    role: str = ""
    unit: str = WHOLE_UNION
    # In development `admin` may do every staff act.
    acts_as_any: bool = False

    @property
    def uuid(self) -> UUID:
        return UUID(self.id)

    def header(self) -> str:
        """Write the caller as `x-caller` carries it."""
        return ":".join((self.kind, self.id, *((self.role, self.unit) if self.role else ())))

    def sees_unit(self, unit: str) -> bool:
        return self.unit in (WHOLE_UNION, unit)

    @classmethod
    def parse(cls, text: str) -> "Caller":
        kind, _, rest = text.partition(":")
        parts = rest.split(":")
        match kind, parts:
            case "member", [member]:
                return cls("member", _uuid(member))
            case "staff", [person, role, unit]:
                named = unit if unit == WHOLE_UNION else _name(unit)
                return cls("staff", _uuid(person), _name(role), named)
            case "hospital" | "service", [name]:
                return cls(kind, _name(name))
            case _:
                raise CallerUnknown


def member(member_id: UUID) -> Caller:
    return Caller("member", str(member_id))


def staff(person_id: UUID, role: str, unit: str = WHOLE_UNION) -> Caller:
    return Caller("staff", str(person_id), role, unit)


def hospital(fixmedins_code: str) -> Caller:
    return Caller("hospital", fixmedins_code)


def service(name: str) -> Caller:
    return Caller("service", name)


def require_member(caller: Caller) -> UUID:
    """Give the member who calls; anybody else is refused."""
    if caller.kind != "member":
        raise NotAllowed
    return caller.uuid


def require_role(caller: Caller, *roles: str) -> UUID:
    """Give the member of staff who calls, in one of the roles; anybody else is refused."""
    if caller.kind != "staff" or not (caller.role in roles or caller.acts_as_any):
        raise NotAllowed
    return caller.uuid


def require_hospital(caller: Caller) -> str:
    """Give the code of the hospital that calls; anybody else is refused."""
    if caller.kind != "hospital":
        raise NotAllowed
    return caller.id


def require_service(caller: Caller, *names: str) -> str:
    """Give the name of the service that calls for itself; anybody else is refused."""
    if caller.kind != "service" or caller.id not in names:
        raise NotAllowed
    return caller.id


def require_staff_or_service(caller: Caller) -> None:
    """Refuse who may see only what is their own: a member, a hospital."""
    if caller.kind not in ("staff", "service"):
        raise NotAllowed


async def _caller(request: Request) -> Caller:
    return cast("Caller", request.state.caller)


# Ask for it in a route: `async def mine(caller: CallerDep) -> …`.
CallerDep = Annotated[Caller, Depends(_caller)]


class AuthSettings(Protocol):
    """What the settings say about the internal bearer."""

    internal_token_file: Path
    profile: Literal["development", "strict"]


def internal_token(settings: AuthSettings) -> str:
    return settings.internal_token_file.read_text(encoding="ascii").strip()


def install(app: FastAPI, settings: AuthSettings, public: Collection[str] = ()) -> None:
    """Let only our own processes in, on every path but health, metrics and the public ones."""
    app.add_middleware(
        _Guard,
        token=internal_token(settings),
        open_paths=OPEN_PATHS | frozenset(public),
        admin_may_all=settings.profile == "development",
    )


class _Guard:
    def __init__(
        self, app: ASGIApp, *, token: str, open_paths: frozenset[str], admin_may_all: bool
    ) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._open_paths = open_paths
        self._admin_may_all = admin_may_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            try:
                scope.setdefault("state", {})["caller"] = self._judge(Headers(scope=scope))
            except Unauthorized as refusal:
                await respond_to(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _judge(self, headers: Headers) -> Caller:
        bearer = headers.getlist("authorization")
        if len(bearer) != 1 or not hmac.compare_digest(bearer[0].encode(), self._expected):
            raise NotOurs
        told = headers.getlist(CALLER_HEADER)
        if len(told) != 1:
            raise CallerUnknown
        caller = Caller.parse(told[0])
        if self._admin_may_all and caller.kind == "staff" and caller.role == "admin":
            return Caller("staff", caller.id, caller.role, caller.unit, acts_as_any=True)
        return caller


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise CallerUnknown from error


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise CallerUnknown
    return text
