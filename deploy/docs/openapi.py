"""The HTTP surfaces, asked of the very apps that serve them, built without any server."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from fastapi import FastAPI

from deploy.local.bank_keys import bank_key_env, ensure_bank_keys
from gateway.main import build_app
from gateway.parts import Parts
from gateway.settings import Settings as GatewaySettings
from gateway.upstream import Services
from gateway.wechat import WeChat
from services.claims import main as claims
from services.claims.rows import COLUMNS, RowReader
from services.claims.settings import Settings as ClaimsSettings
from services.claims.usecases.posts import Counter
from services.common.kit import keys
from services.common.kit.db import Database
from services.common.kit.settings import Peers, ProcessSettings
from services.enrollment import main as enrollment
from services.enrollment.settings import Settings as EnrollmentSettings
from services.notify import main as notify
from services.notify.settings import Settings as NotifySettings
from services.payments import main as payments
from services.payments.settings import Settings as PaymentsSettings

NOWHERE = "postgresql+asyncpg://nobody@/nowhere"

S = TypeVar("S", bound=ProcessSettings)


def documents() -> dict[str, dict[str, Any]]:
    """Give the OpenAPI document of the gateway and of each service."""
    builders: dict[str, Callable[[Path], FastAPI]] = {
        "gateway": _gateway,
        "enrollment": _enrollment,
        "claims": _claims,
        "payments": _payments,
        "notify": _notify,
    }
    with TemporaryDirectory() as folder:
        keys.ensure_keys(Path(folder) / "keys")
        return {name: build(Path(folder)).openapi() for name, build in builders.items()}


def _told(kind: type[S], var_dir: Path) -> S:
    """Give a process's settings, whatever the environment says."""
    told = {"database_url": NOWHERE, "profile": "development", "var_dir": var_dir}
    return kind.model_validate(told)


def _gateway(var_dir: Path) -> FastAPI:
    settings = _told(GatewaySettings, var_dir)
    database = Database(settings, application="gateway")
    services = Services.of(settings, Peers())
    return build_app(Parts.of(settings, database, services, WeChat(settings)))


def _enrollment(var_dir: Path) -> FastAPI:
    settings = _told(EnrollmentSettings, var_dir)
    database = Database(settings, application="enrollment")
    return enrollment.new_app(settings, enrollment.new_desk(settings, database))


def _claims(var_dir: Path) -> FastAPI:
    settings = _told(ClaimsSettings, var_dir)
    database = Database(settings, application="claims")
    desk = claims.new_desk(settings)
    hash_key = keys.secret(settings.keys_dir, keys.IDENTITY_INDEX)
    reader = RowReader(COLUMNS, hash_key=hash_key, identity=desk.identity)
    return claims.new_app(settings, Counter(database, desk, reader.read, _yes))


async def _yes() -> bool:
    return True


def _payments(var_dir: Path) -> FastAPI:
    ensure_bank_keys(var_dir / "keys")
    bank = {
        name.removeprefix("PAYMENTS_").lower(): value
        for name, value in bank_key_env(var_dir / "keys").items()
        if name.startswith("PAYMENTS_")
    }
    settings = PaymentsSettings.model_validate(
        {**_told(PaymentsSettings, var_dir).model_dump(), **bank}
    )
    return payments.new_app(payments.new_office(settings).desk)


def _notify(var_dir: Path) -> FastAPI:
    settings = _told(NotifySettings, var_dir)
    return notify.new_app(settings, notify.new_office(settings).door)
