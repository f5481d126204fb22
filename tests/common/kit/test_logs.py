"""Log lines: listed fields, masked people, errors without their words."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from pydantic import BaseModel

from services.common.errors import NotFound
from services.common.identity import PersonName, Phone
from services.common.kit import clock, logs
from services.common.kit.logs import get_logger

CANARY = "11010519491231002X"


class ClaimNotFound(NotFound):
    """No such claim."""

    code = "CLAIM_NOT_FOUND"


class Row(BaseModel):
    certno: int


@pytest.fixture(autouse=True)
def _configured(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert capsysbinary
    logs.configure(service="claims", role="all")


def lines(capture: pytest.CaptureFixture[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capture.readouterr().out.splitlines()]


def log_anything(**fields: object) -> None:
    cast("Any", get_logger()).info("feed.started", **fields)


def test_a_line_is_an_event_with_its_fields(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with clock.set_to(datetime(2026, 5, 1, 1, 2, 3, 450_000, tzinfo=UTC)):
        get_logger().info("feed.started", feed_id=UUID(int=7), rows=5000)
    assert lines(capsysbinary) == [
        {
            "at": "2026-05-01T01:02:03.450+00:00",
            "level": "info",
            "service": "claims",
            "process_role": "all",
            "event": "feed.started",
            "feed_id": "00000000-0000-0000-0000-000000000007",
            "rows": 5000,
        }
    ]


def test_an_unlisted_field_is_dropped_and_counted(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    before = logs.dropped["certno"]
    log_anything(certno=CANARY, rows=1)
    [line] = lines(capsysbinary)
    assert line["dropped_fields"] == 1
    assert CANARY not in str(line)
    assert logs.dropped["certno"] == before + 1


def test_what_names_a_person_prints_as_a_mask_and_an_object_as_its_kind(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    log_anything(name=PersonName("张三丰"), reason=Phone("13812345678"), state={"name": CANARY})
    [line] = lines(capsysbinary)
    assert (line["name"], line["reason"], line["state"]) == ("张*", "138****5678", "<dict>")


def test_an_error_tells_its_kind_and_place_but_not_its_words(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    try:
        try:
            Row.model_validate({"certno": CANARY})
        except ValueError as error:
            raise KeyError(CANARY) from error
    except KeyError as error:
        get_logger().error("http.failed", error=error)
    [line] = lines(capsysbinary)
    outer, inner = line["error"]
    assert outer["type"] == "builtins.KeyError"
    assert "kit/test_logs.py:" in outer["at"][0]
    assert inner["errors"] == ["certno: int_parsing"]
    assert CANARY not in str(line)


def test_a_refusal_tells_its_code_and_the_database_its_state() -> None:
    [refusal] = logs.describe(ClaimNotFound())
    assert refusal["code"] == "CLAIM_NOT_FOUND"
    [twice] = logs.describe(asyncpg.UniqueViolationError(f"Key (certno)=({CANARY}) exists"))
    assert twice["sqlstate"] == "23505"
    assert CANARY not in str(twice)


def test_a_group_of_errors_tells_each_of_them() -> None:
    group = ExceptionGroup("both", [ClaimNotFound(), AttributeError("no such name")])
    assert [told["type"].rpartition(".")[2] for told in cast("Any", logs.describe(group))] == [
        "ExceptionGroup",
        "ClaimNotFound",
        "AttributeError",
    ]


def test_a_librarys_line_is_folded_in_without_the_values_bound_to_it(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    logging.getLogger("sqlalchemy.engine").info("select %s", CANARY)
    logging.getLogger("aiokafka.conn").error("refused by %s\nand more", CANARY)
    logging.getLogger("uvicorn.error").info("started")
    [line] = lines(capsysbinary)
    assert (line["event"], line["logger"]) == ("foreign.log", "aiokafka.conn")
    assert line["template"] == "refused by %s"


def test_a_lone_surrogate_does_not_stop_the_log(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    get_logger().warning("feed.refused", reason="\ud800")
    assert len(capsysbinary.readouterr().out.splitlines()) == 1
