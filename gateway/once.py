"""`Idempotency-Key` at the door: the same POST under the same key is answered from the first one.

The key is optional. Settlements are known by (fixmedins_code, setl_id, refd_setl_flag) and never
counted twice without it; with it the partner gets the very answer again. Uploads (rosters, feeds)
take no key: they flow through unread, and the same file again changes nothing.
"""

from typing import Annotated, TypeVar

from fastapi import Header
from pydantic import BaseModel

from gateway.parts import Parts
from gateway.upstream import Desk, read
from services.common.kit import idempotency
from services.common.kit.http import Answer, Client

KeyHeader = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=idempotency.KEY_CHARACTERS_MAX),
]
Model = TypeVar("Model", bound=BaseModel)


async def post_once(
    parts: Parts,
    desk: Desk,
    service: Client,
    path: str,
    answer: type[Model],
    *,
    body: bytes,
    key: str | None,
) -> Model:
    """Post to a service, or give the answer that the first request with this key was given."""
    if key is None:
        return await desk.forward(service, path, answer, body)
    key, by = idempotency.checked(key), desk.caller.header()
    digest = idempotency.digest("POST", path, body)
    async with parts.database.begin() as unit:
        kept = await idempotency.claim(unit, by, key, digest)
    if kept is not None:
        return read(Answer(kept.status, {}, kept.body), answer)
    try:
        got = await desk.posted(service, path, body)
    except BaseException:
        # Whether it was done is not known; the settlement's own identity makes asking again safe.
        async with parts.database.begin() as unit:
            await idempotency.let_go(unit, by, key)
        raise
    async with parts.database.begin() as unit:
        stored = idempotency.StoredAnswer(got.status, got.body)
        await idempotency.settle(unit, by, key, stored)
    return read(got, answer)
