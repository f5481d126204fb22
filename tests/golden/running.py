"""A file of worked cases, each held against what the schemes and the engine make of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from tests.golden.outcomes import Came, outcome
from tests.golden.said import CaseUnreadable


class WorkedCase(msgspec.Struct, frozen=True):
    """One case of a file: what is put in, and what must come of it."""

    id: str
    plan: str
    inputs: dict[str, Any]
    expect: dict[str, Any]


class Meta(msgspec.Struct, frozen=True):
    """Every input that a case of a plan may carry."""

    fields: dict[str, tuple[str, ...]]


class CaseFile(msgspec.Struct, frozen=True):
    meta: Meta
    # Read one by one: what is wrong with one of them is no fault of the others.
    cases: tuple[dict[str, Any], ...] = ()


class Result(NamedTuple):
    """What became of one case; `came` is said in words where nothing came."""

    case_id: str
    passed: bool
    expected: Mapping[str, Any]
    came: Came | str

    def line(self) -> str:
        word = "ok" if self.passed else "FAILED"
        came = self.came if isinstance(self.came, str) else _words(self.came)
        expected = f" expected {_words(self.expected)};" if self.expected else ""
        return f"{word} {self.case_id}{expected} came {came}"


def run_file(path: Path) -> Iterator[Result]:
    """Run the cases of a file; a file that cannot be read, or has none, is one that failed."""
    try:
        file = msgspec.convert(yaml.safe_load(path.read_bytes()), CaseFile)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        yield Result(str(path), False, {}, " ".join(str(error).split()))
        return
    if not file.cases:
        yield Result(str(path), False, {}, "no cases")
    for raw in file.cases:
        yield run(raw, file.meta)


def run(raw: Mapping[str, Any], meta: Meta) -> Result:
    """Run one case as it stands in a file."""
    case_id = str(raw.get("id", "?"))
    try:
        case = msgspec.convert(raw, WorkedCase)
        _check_fields(case.plan, case.inputs, meta)
        came = outcome(case.plan, case.inputs)
    # Whatever goes wrong in one case is its result: the others are to be run all the same.
    except Exception as error:  # noqa: BLE001 (see above)
        return Result(case_id, False, raw.get("expect", {}), f"{type(error).__name__}: {error}")
    return Result(case_id, _agree(case.expect, came), case.expect, came)


def _check_fields(plan: str, inputs: Mapping[str, Any], meta: Meta) -> None:
    if plan not in meta.fields:
        raise CaseUnreadable(f"meta.fields has no plan {plan}")
    unknown = sorted(set(inputs).difference(meta.fields[plan]))
    if unknown:
        raise CaseUnreadable(f"{plan} may carry no {', '.join(unknown)}")
    for part in inputs.get("parts", ()):
        _check_fields(part["plan"], part["inputs"], meta)


def _agree(expected: Mapping[str, Any], came: Came) -> bool:
    """Hold all that is expected against what came, and let no reason come unexpected."""
    unexpected = "reason" in came and "reason" not in expected
    kept = all(came.get(key) == str(value) for key, value in expected.items())
    return bool(expected) and kept and not unexpected


def _words(said: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in said.items())
