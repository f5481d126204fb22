"""The commands of the house: listed by make alone, and free of any registry's address."""

import os
import re
import subprocess
from typing import Any

from deploy.local.settings import ROOT
from deploy.local.topics import listed_topics

COMMANDS = {"setup", "up", "down", "status", "demo", "test", "lint", "bench", "faults", "docs"}


def test_make_alone_lists_every_command_with_a_line() -> None:
    said = subprocess.run(["make"], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    listed = dict(re.findall(r"^make (\S+) +(\S.+)$", said, re.MULTILINE))
    assert set(listed) >= COMMANDS
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(listed)


def test_integration_runs_the_same_commands() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    said = [line.split() for line in script.read_text().splitlines()]
    made = [words[1] for words in said if words[:1] == ["make"]]
    assert made == ["lint", "test", "bench"]


def test_no_registry_is_named() -> None:
    addressed = re.compile(r"https?://(?!127\.0\.0\.1|maven\.apache\.org/POM)")
    for name in ("Makefile", ".ci/run", "deploy/kafka/pom.xml", "requirements.lock"):
        assert not addressed.search((ROOT / name).read_text()), name


def test_every_topic_has_12_partitions_for_ever() -> None:
    topics: list[Any] = [*listed_topics()]  # aiokafka's own types are not complete
    assert len(topics) == 5
    assert {topic.num_partitions for topic in topics} == {12}
    assert all(topic.topic_configs["max.message.bytes"] == "2097152" for topic in topics)
