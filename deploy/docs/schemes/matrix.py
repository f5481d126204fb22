"""Clause, figure and case against each other, over all schemes: what has no partner is a hole."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from services.common.schemes.figures import Figure, named_figures, ref
from services.common.schemes.model import Document, Scheme

_PARAGRAPH: Final = re.compile(r"para\. (\d+)")


class Paragraphs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The paragraphs of a document, counted, and why a figure stands on none of some of them."""

    paragraphs: int
    without_figure: dict[int, str]


class Entry(NamedTuple):
    """A figure, by name and first day, with the ids of the worked cases that show it."""

    scheme_id: str
    ref: str
    figure: Figure[Any]
    cases: tuple[str, ...]

    @property
    def paragraph(self) -> int:
        found = _PARAGRAPH.fullmatch(self.figure.clause)
        return int(found[1]) if found else 0


class Matrix(NamedTuple):
    """All figures of all schemes, the documents that they are written in, and what has a hole."""

    entries: tuple[Entry, ...]
    documents: Mapping[str, Document]
    paragraphs: Mapping[str, Paragraphs]
    holes: tuple[str, ...]

    def at(self, document: str | None, paragraph: int) -> list[Entry]:
        return [
            e for e in self.entries if e.figure.document == document and e.paragraph == paragraph
        ]


def paragraphs() -> Mapping[str, Paragraphs]:
    file = Path(__file__).parent / "clauses.yaml"
    return msgspec.yaml.decode(file.read_bytes(), type=dict[str, Paragraphs])


def matrix(schemes: Iterable[Scheme], counted: Mapping[str, Paragraphs]) -> Matrix:
    """Put every figure of every scheme to its clause and its cases."""
    schemes = list(schemes)
    entries = tuple(entry for scheme in schemes for entry in _entries(scheme))
    documents = {name: each for scheme in schemes for name, each in scheme.documents.items()}
    holes = [
        *_without_case(entries),
        *(hole for scheme in schemes for hole in _cases_of_nothing(scheme)),
        *(hole for scheme in schemes for hole in _documents(scheme, documents)),
        *_clauses(entries, documents, counted),
    ]
    return Matrix(entries, documents, counted, tuple(holes))


def _entries(scheme: Scheme) -> Iterator[Entry]:
    for named in named_figures(scheme):
        for figure in named.figures:
            label = ref(named.name, figure)
            names = {label, named.name} if len(named.figures) == 1 else {label}
            cases = tuple(case.id for case in scheme.cases if names.intersection(case.shows))
            yield Entry(scheme.scheme_id, label, figure, cases)


def _without_case(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        if not entry.cases:
            yield f"{entry.scheme_id}: no case shows {entry.ref}"


def _cases_of_nothing(scheme: Scheme) -> Iterator[str]:
    known = set(scheme.missing)
    for named in named_figures(scheme):
        known |= {named.name, *(ref(named.name, figure) for figure in named.figures)}
    shown = {name for case in scheme.cases for name in case.shows}
    for name in scheme.missing:
        if name not in shown:
            yield f"{scheme.scheme_id}: no case shows that {name} is missing"
    for case in scheme.cases:
        if not known.intersection(case.shows):
            yield f"{scheme.scheme_id}: {case.id} shows no figure"


def _documents(scheme: Scheme, documents: Mapping[str, Document]) -> Iterator[str]:
    cited = {figure.document for named in named_figures(scheme) for figure in named.figures}
    for name, document in scheme.documents.items():
        if name not in cited:
            yield f"{scheme.scheme_id}: no figure is written in {name}"
        if document != documents[name]:
            yield f"{scheme.scheme_id}: {name} is another document elsewhere"


def _clauses(
    entries: tuple[Entry, ...],
    documents: Mapping[str, Document],
    counted: Mapping[str, Paragraphs],
) -> Iterator[str]:
    for name in sorted(set(counted) - set(documents)):
        yield f"{name}: its paragraphs are counted, and no scheme knows it"
    for name in documents:
        known = counted.get(name)
        if known is None:
            yield f"{name}: nobody has counted its paragraphs"
            continue
        cited = {entry.paragraph for entry in entries if entry.figure.document == name}
        for paragraph in range(1, known.paragraphs + 1):
            if paragraph not in cited and paragraph not in known.without_figure:
                yield f"{name} para. {paragraph}: no figure, and no reason why not"
        for paragraph in sorted(cited & set(known.without_figure)):
            yield f"{name} para. {paragraph}: a figure, and a reason why there is none"
        for paragraph in sorted(cited - set(range(1, known.paragraphs + 1))):
            yield f"{name}: a figure cites para. {paragraph}, which it does not have"
