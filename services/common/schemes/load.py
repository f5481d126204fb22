"""From files to schemes: what is not known, not dated or not sourced is refused with its place."""

import copy
import re
from datetime import date
from pathlib import Path
from typing import Any, cast

import msgspec

from services.common.errors import Invalid
from services.common.money import BadAmount, parse_yuan
from services.common.schemes.checks import Fault, faults, faults_between
from services.common.schemes.figures import Amount
from services.common.schemes.lines import Text, Unreadable
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook

DATA = Path(__file__).parent / "data"

# `Expected `str`, got `int` - at `$.documents[...].title``; at the root there is no place.
_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<steps>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`")


class SchemeFileRefused(Invalid):
    """The file of a scheme does not say one thing at every point."""

    code = "SCHEME_FILE_REFUSED"

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


def load_rulebook(folder: Path = DATA) -> Rulebook:
    """Load every scheme of the folder; raises `SchemeFileRefused`."""
    schemes = [load(path) for path in sorted(folder.glob("*.yaml"))]
    for scheme_id, fault in faults_between(schemes):
        path = folder / f"{scheme_id}.yaml"
        raise _refused(path.name, Text(path.read_bytes()), fault)
    return Rulebook(schemes)


def load(path: Path) -> Scheme:
    return read(path.read_bytes(), path.name)


def read(content: bytes, file: str) -> Scheme:
    """Read the text of a scheme file; `file` is what a refusal calls it."""
    try:
        text = Text(content)
    except Unreadable as error:
        raise SchemeFileRefused(file, error.line, error.reason) from error
    try:
        scheme = convert(text.raw)
    except msgspec.ValidationError as error:
        raise _refused(file, text, _misshapen(text.raw, str(error))) from error
    if f"{scheme.scheme_id}.yaml" != file:
        fault = Fault("$.scheme_id", f"scheme_id {scheme.scheme_id} is not the name of the file")
        raise _refused(file, text, fault)
    for fault in faults(scheme):
        raise _refused(file, text, fault)
    return scheme


def convert(raw: object) -> Scheme:
    """Give a scheme the types of the model; raises `msgspec.ValidationError`."""
    return msgspec.convert(raw, Scheme, builtin_types=(date,), dec_hook=_amount)


def schema() -> dict[str, Any]:
    """Give the JSON schema of a scheme file, for editors."""
    return msgspec.json.schema(Scheme, schema_hook=_amount_schema)


def _refused(file: str, text: Text, fault: Fault) -> SchemeFileRefused:
    return SchemeFileRefused(file, text.line(fault.path), fault.reason)


def _misshapen(raw: object, message: str) -> Fault:
    """Find the place that msgspec means: it writes `[...]` for any key of a mapping."""
    found = _MESSAGE.fullmatch(message)
    assert found is not None, message
    what, key, steps = found["what"], found["key"], found["steps"] or ""
    path = _exact(raw, message, _STEP.findall(f"{steps}[...]" if key else steps))
    unknown = _UNKNOWN_FIELD.fullmatch(what)
    place = path.removeprefix("$").removeprefix(".")
    return Fault(f"{path}.{unknown[1]}" if unknown else path, f"{place}: {what}" if place else what)


def _exact(raw: object, message: str, steps: list[tuple[str, str]]) -> str:
    """Try the keys one by one: left alone in its mapping, the right one gives the same message."""
    raw = copy.deepcopy(raw)
    part, path = cast("Any", raw), "$"
    for field, index in steps:
        key = field
        if index == "...":
            for key, value in list(part.items()):
                part.clear()
                part[key] = value
                if _message(raw) == message:
                    break
        part = part[int(index)] if index.isdigit() else part[key]
        path += f"[{index}]" if index.isdigit() else f".{key}"
    return path


def _message(raw: object) -> str:
    try:
        convert(raw)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _amount(wanted: type, value: object) -> Amount:
    if wanted is not Amount or not isinstance(value, str):
        raise ValueError("an amount is text in yuan, like '1300.00'")
    try:
        return Amount(parse_yuan(value))
    except BadAmount as error:
        raise ValueError(f"{value!r} is no amount in yuan") from error


def _amount_schema(wanted: type) -> dict[str, str]:
    assert wanted is Amount, wanted
    return {"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$"}
