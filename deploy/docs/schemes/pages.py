"""Every page of docs/schemes/, from the scheme files as they are."""

from itertools import takewhile

from deploy.docs.schemes import overview, scheme_page
from deploy.docs.schemes.matrix import matrix, paragraphs
from services.claims.rules.trial import try_cases
from services.common.schemes.load import DATA, load_rulebook


class Hole(ValueError):
    """A figure, a clause or a case has no partner."""


def pages() -> dict[str, str]:
    """Give the pages by their path in the repository; raises `Hole`."""
    rulebook = load_rulebook()
    found = matrix(rulebook, paragraphs())
    if found.holes:
        raise Hole("\n".join(found.holes))
    notes = scheme_page.own_notes({s.scheme_id: _header(s.scheme_id) for s in rulebook})
    return {
        "docs/schemes/README.md": overview.text(rulebook, found),
        **{
            f"docs/schemes/{scheme.scheme_id}.md": scheme_page.text(
                scheme, notes[scheme.scheme_id], list(try_cases(scheme, rulebook)), rulebook
            )
            for scheme in rulebook
        },
    }


def _header(scheme_id: str) -> list[str]:
    lines = (DATA / f"{scheme_id}.yaml").read_text("utf-8").splitlines()
    return list(takewhile(lambda line: line.startswith("#"), lines))
