"""Log lines: one JSON object each, an event name and listed fields, with no person in them."""

import json
import logging
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, MutableMapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol, Unpack, cast
from uuid import UUID

import asyncpg
import structlog
from pydantic import ValidationError

from services.common.errors import DomainError
from services.common.identity import Masked
from services.common.kit import clock
from services.common.kit.lognames import FIELDS, Event, Fields

TEXT_CHARACTERS_MAX: Final = 200
FRAMES_MAX: Final = 12
# The words of these speak of the code and of the machine, not of data.
_SPEAKS_OF_CODE: Final = (AttributeError, ImportError, NameError, NotImplementedError, OSError)
_OWN: Final = frozenset({"event", "level"})
_FOREIGN_LEVELS: Final = {
    "aiokafka": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "uvicorn": logging.WARNING,
}

# How often a field was dropped because it is not listed, by its name.
dropped: Counter[str] = Counter()


class Log(Protocol):
    """A logger as this code sees it: the type checker refuses an unlisted event or field."""

    def debug(self, event: Event, /, **fields: Unpack[Fields]) -> None: ...
    def info(self, event: Event, /, **fields: Unpack[Fields]) -> None: ...
    def warning(self, event: Event, /, **fields: Unpack[Fields]) -> None: ...
    def error(self, event: Event, /, **fields: Unpack[Fields]) -> None: ...


def get_logger() -> Log:
    return cast("Log", structlog.get_logger())


def configure(*, service: str, role: str, level: str = "info") -> None:
    """Send every line of this process, ours and the libraries', to stdout in one form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _only_listed,
            _Stamp(service, role),
            _to_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_to_stdout,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[LibraryLines()], level=logging.WARNING, force=True)
    for name, threshold in _FOREIGN_LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(threshold)


def _to_stdout(*_: object) -> structlog.BytesLogger:
    """Ask for stdout at every line: whoever runs the process may have put another in its place."""
    return structlog.BytesLogger(sys.stdout.buffer)


class LibraryLines(logging.Handler):
    """Turns a library's record into a line of ours: its template, never the values bound to it."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger()
        write = log.error if record.levelno >= logging.ERROR else log.warning
        fields: Fields = {
            "logger": record.name,
            "level_name": record.levelname,
            "template": str(record.msg).split("\n", 1)[0],
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            fields["error"] = error
        write("foreign.log", **fields)


def describe(error: BaseException) -> list[dict[str, object]]:
    """Say what was raised and where, cause after cause, without the values that were at hand."""
    return [_one(link) for link in _chain(error)]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
                yield from _chain(inner)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _one(error: BaseException) -> dict[str, object]:
    told: dict[str, object] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, DomainError):
        told["code"] = error.code
    elif isinstance(error, asyncpg.PostgresError):
        told["sqlstate"] = error.sqlstate
        told["constraint"] = error.constraint_name
        # Class 42 speaks of the statement (a column that is not there), never of a row.
        if str(error.sqlstate).startswith("42"):
            told["words"] = str(error)[:TEXT_CHARACTERS_MAX]
    elif isinstance(error, ValidationError):
        told["errors"] = [
            f"{'.'.join(map(str, item['loc']))}: {item['type']}"
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ][:FRAMES_MAX]
    elif isinstance(error, _SPEAKS_OF_CODE):
        told["words"] = str(error)[:TEXT_CHARACTERS_MAX]
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    told["at"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return told


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])


Line = MutableMapping[str, Any]


def _only_listed(_logger: object, _method: str, line: Line) -> Line:
    unlisted = [name for name in line if name not in FIELDS and name not in _OWN]
    for name in unlisted:
        del line[name]
    if unlisted:
        dropped.update(unlisted)
        line["dropped_fields"] = len(unlisted)
    return line


class _Stamp:
    def __init__(self, service: str, role: str) -> None:
        self._service = service
        self._role = role

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        event = line.pop("event")
        return {
            "at": clock.now().isoformat(timespec="milliseconds"),
            "level": line.pop("level"),
            "service": self._service,
            "process_role": self._role,
            "event": event,
            **line,
        }


def _to_json(_logger: object, _method: str, line: Line) -> bytes:
    shown = {name: _shown(value) for name, value in line.items()}
    return json.dumps(shown, ensure_ascii=False).encode(errors="backslashreplace")


def _shown(value: object) -> object:
    """Show a value as JSON; what is not plain shows only its kind, for it may hold anything."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return _shown(value.value)
        case str():
            return value[:TEXT_CHARACTERS_MAX]
        case UUID() | Masked() | Path():
            return str(value)
        case date():
            return value.isoformat()
        case BaseException():
            return describe(value)
        case list() | tuple():
            return [_shown(item) for item in cast("list[object]", value)]
        case _:
            return f"<{type(value).__qualname__}>"
