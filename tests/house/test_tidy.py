"""The limits that keep a house readable, checked over all that is in it."""

import ast
import re
import subprocess
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from deploy.local.settings import ROOT

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
# Names that say nothing; `base` is one of them but for what a channel is.
EMPTY_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|managers?|misc|stuff)(?:_|$)|^base$")
BASES = frozenset({"services/payments/channels/base.py", "services/notify/channels/base.py"})
# A letter stands in brackets, so that this file does not find itself.
LEFT_UNDONE = re.compile(r"\b(?:[T]ODO|[F]IXME|[X]XX)\b")
MACHINE = re.compile(
    r"(?<![\w.<])/(?:[h]ome|[r]oot|[w]ork|[U]sers)/\w"
    r"|[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.org|[r]epo1?\.maven|[i]ndex-url"
)
SILENCER = re.compile(r"#\s*(?:noqa|pyright|type|ruff|codespell)\s*:")
SILENCED = re.compile(
    r"#\s*noqa:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*|#\s*pyright:\s*ignore\[[\w, ]+\]"
)
REASON_WORDS_MIN = 1


@cache
def files() -> tuple[Path, ...]:
    """List what is, or is about to be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file())


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def sources() -> dict[str, str]:
    return {
        named(path): path.read_text(encoding="utf-8") for path in files() if path.suffix == ".py"
    }


@cache
def modules() -> dict[str, ast.Module]:
    return {name: ast.parse(text) for name, text in sources().items()}


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        if path.suffix not in {".lock", ".csv", ".gz"}:
            try:
                yield named(path), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def lines_where(found: Callable[[str], object]) -> list[str]:
    return [
        f"{name}:{number}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if found(line)
    ]


def test_no_file_is_longer_than_one_reads_at_a_sitting() -> None:
    lengths = {name: text.count("\n") for name, text in sources().items()}
    assert {name: n for name, n in lengths.items() if n > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_name_of_a_file_says_what_is_in_it() -> None:
    empty = [name for name in sources() if EMPTY_NAMES.search(Path(name).stem)]
    assert set(empty) - BASES == set()


def test_every_file_opens_by_saying_what_it_is_for() -> None:
    silent: list[str] = []
    for name, tree in modules().items():
        first = (ast.get_docstring(tree) or "").partition("\n\n")[0].rstrip()
        if not first.endswith((".", "?", "!", ":")):
            silent.append(name)
    assert silent == []


def test_the_door_of_a_package_holds_its_sentence_and_nothing_else() -> None:
    doors = {name: tree for name, tree in modules().items() if name.endswith("__init__.py")}
    assert [name for name, tree in doors.items() if len(tree.body) != 1] == []


def test_nothing_is_left_to_be_done_later() -> None:
    assert lines_where(LEFT_UNDONE.search) == []


def test_nothing_names_a_machine_or_a_registry() -> None:
    assert lines_where(MACHINE.search) == []


def test_whoever_silences_a_check_says_why() -> None:
    unexplained: list[str] = []
    for name in sources():
        with (ROOT / name).open("rb") as file:
            comments = [t for t in tokenize.tokenize(file.readline) if t.type == tokenize.COMMENT]
        for comment in comments:
            if not SILENCER.search(comment.string):
                continue
            rest = SILENCED.sub(" ", comment.string)
            if SILENCER.search(rest) or len(re.findall(r"\w{3,}", rest)) < REASON_WORDS_MIN:
                unexplained.append(f"{name}:{comment.start[0]}")
    assert unexplained == []


def test_only_the_set_up_and_the_tests_print() -> None:
    printing = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        if name.startswith(("services/", "gateway/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert printing == []


def test_every_import_is_absolute() -> None:
    relative = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
