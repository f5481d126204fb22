"""What the gateway is made of; every route is handed these."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, cast

from fastapi import Depends, Request

from gateway.limits import Buckets
from gateway.proofs import PasswordCost
from gateway.settings import Settings
from gateway.signatures import Signers
from gateway.upstream import Desk, Services
from gateway.wechat import WeChat
from services.common.kit.auth import Caller, CallerDep
from services.common.kit.db import Database
from services.common.kit.sealing import Opener


@dataclass(frozen=True, kw_only=True)
class Parts:
    settings: Settings
    database: Database
    services: Services
    wechat: WeChat
    opener: Opener
    signers: Signers
    buckets: Buckets
    # Each guess at a password takes memory and a core; who comes later waits here.
    passwords: asyncio.Semaphore
    # Compared with where there is no such person, so that the answer takes as long.
    nobodys_hash: str
    errands: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @classmethod
    def of(
        cls, settings: Settings, database: Database, services: Services, wechat: WeChat
    ) -> "Parts":
        opener = Opener.from_dir(settings.keys_dir, "gateway")
        cost = PasswordCost(settings.password_memory_kib, settings.password_iterations)
        return cls(
            settings=settings,
            database=database,
            services=services,
            wechat=wechat,
            opener=opener,
            signers=Signers(database, opener),
            buckets=Buckets(settings.limit_keys_max),
            passwords=asyncio.Semaphore(settings.passwords_at_once_max),
            nobodys_hash=cost.hashed("nobody"),
        )

    @property
    def is_development(self) -> bool:
        return self.settings.profile == "development"

    @property
    def signature_window(self) -> timedelta:
        return timedelta(seconds=self.settings.signature_window_s)

    def desk(self, caller: Caller) -> Desk:
        return Desk(
            caller, self.services, self.settings.upload_timeout_s, self.settings.report_timeout_s
        )

    async def close(self) -> None:
        await asyncio.gather(*self.errands, return_exceptions=True)
        await self.services.close()
        await self.wechat.client.close()


async def parts_of(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


async def _desk_of(parts: "PartsDep", caller: CallerDep) -> Desk:
    return parts.desk(caller)


PartsDep = Annotated[Parts, Depends(parts_of)]
DeskDep = Annotated[Desk, Depends(_desk_of)]
