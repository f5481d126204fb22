"""The generated pages say what the code says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from deploy.local.settings import ROOT
from deploy.local.topics import listed_topics
from services.common.contracts import asyncapi


def test_every_generated_page_is_current_and_the_same_in_any_process() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.docs", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_described_topics_are_the_ones_that_are_made() -> None:
    assert sorted(topic.name for topic in listed_topics()) == sorted(asyncapi.TOPICS)


# A file as prose names it: in backticks or as a link, without a placeholder.
NAMED = re.compile(
    r"`((?:services|gateway|deploy|tests|docs)/[\w./-]*\w/?|\w+\.(?:toml|md))`|\]\(([\w./-]+)\)"
)
PARTS = ("**Context.**", "**Decision.**", "**Consequences.**", "**Enforced by**")


def written_pages() -> list[Path]:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return sorted(set(pages) - {ROOT / "docs" / "logs.md"})


def test_every_file_that_a_page_names_is_there() -> None:
    lost = [
        f"{page.relative_to(ROOT)} names {name or link}"
        for page in written_pages()
        for name, link in NAMED.findall(page.read_text(encoding="utf-8"))
        if not ((ROOT / name) if name else (page.parent / link)).exists()
        and not (page.parent / (name or link)).exists()
    ]
    assert lost == []


def test_every_decision_says_why_what_and_who_keeps_it() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in decisions]
    assert numbers == list(range(1, len(decisions) + 1))
    incomplete = [
        page.name
        for page in decisions
        if not all(part in page.read_text(encoding="utf-8") for part in PARTS)
    ]
    assert incomplete == []


def test_every_crash_point_is_explained() -> None:
    explained = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    points = {
        point
        for file in (ROOT / "services").rglob("*.py")
        for point in re.findall(r"crashpoint\(\"([\w.]+)\"\)", file.read_text(encoding="utf-8"))
    }
    assert [point for point in sorted(points) if f"`{point}`" not in explained] == []
