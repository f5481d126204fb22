"""The schemes' own data, and the same with the figures of one case laid over them."""

import copy
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from services.common.schemes.figures import Named, named_figures
from services.common.schemes.lines import Text
from services.common.schemes.load import DATA, convert, load_rulebook
from services.common.schemes.model import Scheme
from services.common.schemes.rulebook import Rulebook
from tests.golden.said import CaseUnreadable

_OVERLAYS_KEPT_MAX: Final = 64
# The one of the params that is no figure: it says which kind of care the claim and its figures
# are of.
KIND: Final = "kind"


@lru_cache(maxsize=1)
def published() -> Rulebook:
    return load_rulebook()


def laid_over(scheme_id: str, params: Mapping[str, object]) -> Rulebook:
    """Give all schemes, one of them with other values of its figures on every day.

    A figure is named in the words of the golden format, or by its name in the scheme, of which the
    last parts are enough. Raises `CaseUnreadable`.
    """
    figures = {name: value for name, value in params.items() if name != KIND}
    if not figures:
        return published()
    return _laid_over(scheme_id, str(params.get(KIND, "")), json.dumps(figures, sort_keys=True))


@lru_cache(maxsize=_OVERLAYS_KEPT_MAX)
def _laid_over(scheme_id: str, kind: str, figures: str) -> Rulebook:
    raw: Any = copy.deepcopy(Text((DATA / f"{scheme_id}.yaml").read_bytes()).raw)
    scheme = published().scheme(scheme_id)
    for param, value in json.loads(figures).items():
        name, laid = _in_the_schemes_words(param, value, kind)
        part = raw
        for step in _figure(scheme, name).path.split(".")[1:]:
            part = part[step]
        for dated in part:
            dated["value"] = laid
    changed = convert(raw)
    return Rulebook(changed if each is scheme else each for each in published())


def _in_the_schemes_words(param: str, value: object, kind: str) -> tuple[str, object]:
    match param:
        case "deductible":
            return f"{kind}.floor", value
        case "ratio":
            return f"{kind}.bands", [{"rate": value}]
        case "annual_cap":
            return "cap", value
        case _:
            return param, value


def _figure(scheme: Scheme, name: str) -> Named:
    found = [named for named in named_figures(scheme) if f".{named.name}".endswith(f".{name}")]
    if len(found) != 1:
        names = ", ".join(named.name for named in found) or "no such figure"
        raise CaseUnreadable(f"params: {scheme.scheme_id} {name}: {names}")
    return found[0]
