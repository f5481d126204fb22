"""From files to schemes: what is not known, not dated or not sourced is refused with its place."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml

from services.common.errors import Invalid
from services.common.money import BadAmount, parse_yuan
from services.common.period import calendar_year
from services.common.schemes.model import Amount, Figure, Rulebook, Scheme

DATA = Path(__file__).parent / "data"


class SchemeFileRefused(Invalid):
    """The file of a scheme does not say one thing at every point."""

    code = "SCHEME_FILE_REFUSED"

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


def load_rulebook(folder: Path = DATA) -> Rulebook:
    return Rulebook(load(path) for path in sorted(folder.glob("*.yaml")))


def load(path: Path) -> Scheme:
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=_NoKeyTwice)  # noqa: S506 (a SafeLoader)
        scheme = msgspec.convert(raw, Scheme, builtin_types=(date,), dec_hook=_amount)
        _check(scheme, path.stem)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise SchemeFileRefused(path.name, str(error)) from error
    return scheme


def _check(scheme: Scheme, file_stem: str) -> None:
    if scheme.scheme_id != file_stem:
        raise ValueError(f"scheme_id {scheme.scheme_id} is not the name of the file")
    for name, figures in _figures(scheme):
        _check_figures(name, figures, scheme)
    kind_of: dict[str, str] = {}
    for name, kind in scheme.benefit.kinds.items():
        for code in {code for figure in kind.med_types for code in figure.value}:
            if code in kind_of:
                raise ValueError(f"benefit.kinds: med_type {code} is {kind_of[code]} and {name}")
            kind_of[code] = name


class _NoKeyTwice(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys; a figure must not vanish that way."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's own signature)
        keys = [key.value for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"line {node.start_mark.line + 1}: {', '.join(twice)} stands twice")
        return super().construct_mapping(node, deep=deep)


def _amount(wanted: type, value: object) -> Amount:
    if wanted is not Amount or not isinstance(value, str):
        raise ValueError("an amount is text in yuan, like '1300.00'")
    try:
        return Amount(parse_yuan(value))
    except BadAmount as error:
        raise ValueError(f"{value!r} is no amount in yuan") from error


def _figures(part: object, name: str = "") -> Iterator[tuple[str, tuple[Figure[Any], ...]]]:
    """Walk to every list of figures, with the name that a refusal will call it by."""
    if isinstance(part, tuple):
        yield name, cast("tuple[Figure[Any], ...]", part)
    elif isinstance(part, Mapping):
        for key, value in cast("Mapping[str, object]", part).items():
            yield from _figures(value, f"{name}.{key}")
    elif isinstance(part, msgspec.Struct):
        for field in part.__struct_fields__:
            yield from _figures(getattr(part, field), f"{name}.{field}".lstrip("."))


def _check_figures(name: str, figures: tuple[Figure[Any], ...], scheme: Scheme) -> None:
    for figure in figures:
        if figure.valid_to is not None and figure.valid_to < figure.valid_from:
            raise ValueError(f"{name}: ends before it begins, on {figure.valid_to}")
        _check_source(name, figure, scheme)
        _check_value(name, figure)
        if name.startswith("benefit."):
            _check_whole_periods(name, figure)
    for earlier, later in pairwise(figures):
        if earlier.valid_to is None or later.valid_from <= earlier.valid_to:
            raise ValueError(f"{name}: overlap on {later.valid_from}")
        if later.valid_from != earlier.valid_to + timedelta(days=1):
            raise ValueError(f"{name}: gap from {earlier.valid_to} to {later.valid_from}")


def _check_source(name: str, figure: Figure[Any], scheme: Scheme) -> None:
    if figure.document is None and figure.assumed is None:
        raise ValueError(f"{name}: neither a document nor a reason to assume {figure.value}")
    if figure.document is not None and figure.document not in scheme.documents:
        raise ValueError(f"{name}: document {figure.document} is not listed")
    if figure.document is not None and not (figure.clause and figure.quote):
        raise ValueError(f"{name}: {figure.document} is named without clause and quotation")


def _check_value(name: str, figure: Figure[Any]) -> None:
    value: object = figure.value
    if isinstance(value, Decimal) and not 0 <= value <= 1:
        raise ValueError(f"{name}: {value} is no share of a whole")
    if isinstance(value, Amount) and value < 0:
        raise ValueError(f"{name}: an amount below zero")


def _check_whole_periods(name: str, figure: Figure[Any]) -> None:
    """Refuse a change inside a period, over which a sum would stand on two sets of terms."""
    if figure.valid_from != calendar_year(figure.valid_from).starts:
        raise ValueError(f"{name}: {figure.valid_from} lies inside a period")
    if figure.valid_to is not None and figure.valid_to != calendar_year(figure.valid_to).ends:
        raise ValueError(f"{name}: {figure.valid_to} lies inside a period")
