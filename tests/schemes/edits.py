"""Small edits of real scheme files, and how they must be refused."""

from functools import cache
from typing import NamedTuple

from services.common.schemes.load import DATA, SchemeFileRefused, read


class Refused(NamedTuple):
    """An edit of a real file, what the blamed line holds, and the reason."""

    scheme_id: str
    old: str
    new: str
    blamed: str
    reason: str


@cache
def written(scheme_id: str) -> str:
    return (DATA / f"{scheme_id}.yaml").read_text("utf-8")


def edited(scheme_id: str, *changes: tuple[str, str]) -> str:
    text = written(scheme_id)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def between(scheme_id: str, first: str, after: str) -> str:
    """Give the text from the one to the other, which is left out."""
    text = written(scheme_id)
    begins = text.index(first)
    return text[begins : text.index(after, begins)]


def refusal(text: str, file: str) -> SchemeFileRefused | None:
    try:
        read(text.encode(), file)
    except SchemeFileRefused as refused:
        return refused
    return None


def check_refused(case: Refused) -> None:
    text, file = edited(case.scheme_id, (case.old, case.new)), f"{case.scheme_id}.yaml"
    refused = refusal(text, file)
    assert refused is not None
    assert case.reason in refused.reason
    assert case.blamed in text.splitlines()[refused.line - 1], refused
    assert str(refused) == f"{file}:{refused.line}: {refused.reason}"
