"""The first people and hospitals of a development installation, and the file with their keys.

The file outlives the database: what it holds is loaded again wherever the database lacks it, so
credentials stay valid after the data folder has been deleted.
"""

import asyncio
import json
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel

from gateway import store
from gateway.auth import ROLES
from gateway.logins import TOTP_FIELD
from gateway.proofs import PasswordCost, new_totp_secret
from gateway.settings import Settings
from gateway.signatures import sealed_key
from services.common.ids import new_id
from services.common.kit.auth import WHOLE_UNION
from services.common.kit.db import Database, Unit
from services.common.kit.logs import configure, get_logger
from services.common.kit.sealing import Sealer, Suite

HOSPITAL_CODES = ("H11010000001", "H11010000002")


class StaffCredentials(BaseModel):
    role: str
    username: str
    password: str
    totp_secret: str
    unit: str = WHOLE_UNION


class HospitalCredentials(BaseModel):
    """The signing key is the secret's characters as they stand, in UTF-8."""

    keyid: str
    secret: str
    fixmedins_code: str


class Credentials(BaseModel):
    gateway: str
    sandbox: str
    staff: list[StaffCredentials]
    hospitals: list[HospitalCredentials]


async def bootstrap(settings: Settings) -> int:
    """Load the credentials into the database, made anew if there is no file; gives the status."""
    configure(service="gateway", role="bootstrap", level=settings.log_level)
    if settings.profile != "development":
        get_logger().error("process.failed", reason="bootstrap is for profile development")
        return 1
    credentials = _credentials(settings)
    database = Database(settings, application="gateway bootstrap")
    try:
        async with database.begin() as unit:
            await _load(unit, settings, credentials)
    finally:
        await database.close()
    return 0


def _credentials(settings: Settings) -> Credentials:
    """Read the file, or make it; its addresses are always those of now."""
    file = settings.var_dir / "dev" / "credentials.json"
    sandbox = urlsplit(settings.wechat_url)
    addresses = {
        "gateway": settings.public_url or f"http://127.0.0.1:{settings.port}",
        "sandbox": f"{sandbox.scheme}://{sandbox.netloc}",
    }
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else _new_secrets()
    credentials = Credentials.model_validate({**kept, **addresses})
    _write(file, credentials.model_dump_json(indent=2))
    return credentials


def _new_secrets() -> dict[str, list[dict[str, str]]]:
    return {
        "staff": [
            {
                "role": role,
                "username": role,
                "password": secrets.token_urlsafe(18),
                "totp_secret": new_totp_secret(),
            }
            for role in ROLES
        ],
        "hospitals": [
            {
                "keyid": f"{code}-1",
                "secret": secrets.token_urlsafe(32),
                "fixmedins_code": code,
            }
            for code in HOSPITAL_CODES
        ],
    }


def _write(file: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner alone from its first byte."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(f"{text}\n")
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


async def _load(unit: Unit, settings: Settings, credentials: Credentials) -> None:
    sealer = Sealer.from_dir(settings.keys_dir, Suite.named(settings.sealing_suite))
    cost = PasswordCost(settings.password_memory_kib, settings.password_iterations)
    known = await store.staff_ids(unit, [one.username for one in credentials.staff])
    people: list[store.Staff] = []
    for one in credentials.staff:
        # Sealed under the person's id, so who is known keeps theirs.
        person_id = known.get(one.username) or new_id()
        password_hash = await asyncio.to_thread(cost.hashed, one.password)
        totp = sealer.seal("gateway", TOTP_FIELD, person_id, b"", one.totp_secret.encode())
        people.append(store.Staff(person_id, one.username, password_hash, totp, one.role, one.unit))
    await store.put_staff(unit, people)
    keys = [
        sealed_key(
            sealer, store.PartnerKey(one.keyid, new_id(), one.fixmedins_code, b""), one.secret
        )
        for one in credentials.hospitals
    ]
    await store.put_partner_keys(unit, keys)
