"""No person is readable in what notify stores, publishes or logs."""

import json
from collections.abc import Callable

import pytest

from services.common.kit import logs
from services.notify.model import CodeAsked
from services.notify.store import messages
from tests.notify.conftest import NotifyDesk

SURNAME = "皇甫"
OFFICER = "钱多多"
TAIL = "7531"


async def test_no_person_is_readable_in_tables_events_or_logs(
    notify: NotifyDesk, fresh_phone: Callable[[], str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    logs.configure(service="notify", role="test", level="debug")
    person, officer, login = notify.person(SURNAME), fresh_phone(), fresh_phone()
    await notify.hear(person.registered(), person.contact(), person.payee(tail=TAIL), person.paid())
    await notify.hear(notify.officers((OFFICER, officer)), person.refused())
    notify.provider.order(target="sms", kind="drop_answer")
    async with notify.sender_at_work():
        texts = await notify.until_texts(3, person.phone, officer)
    [code] = [notify.code_in(t["content"]) for t in texts if "更正码" in t["content"]]
    await notify.office.door.codes.send(CodeAsked(login, "864209", 5))
    tables = await notify.fetch(
        "select relname from pg_class where relkind in ('r', 'p')"
        " and relnamespace = 'public'::regnamespace and has_table_privilege(oid, 'select')"
    )
    assert {"message", "mend_code"} <= {table["relname"] for table in tables}
    stored = [
        json.dumps([str(value) for value in row.values()], ensure_ascii=False)
        for table in tables
        for row in await notify.fetch(f'select * from "{table["relname"]}"')  # noqa: S608 - names of our own tables
    ]
    written = capfdbinary.readouterr()
    logged = (written.out + written.err).decode()
    assert "text.sent" in logged
    readable = "\n".join([*stored, logged])
    for secret in (person.phone, officer, login, SURNAME, OFFICER, "864209", code):
        assert secret not in readable, secret
    assert f'"{TAIL}"' not in readable


async def test_who_is_erased_is_readable_nowhere(notify: NotifyDesk) -> None:
    person = notify.person()
    await notify.hear(*person.introduction(), person.paid())
    await notify.send_due()
    await notify.execute("update member set salt = null where member_id = $1", person.member_id)
    [row] = await notify.fetch("select message_id from message")
    async with notify.office.database.begin() as unit:
        [material] = await messages.material(unit, [row["message_id"]])
    assert notify.office.teller.composer.content(material, to_owner=True) is None
