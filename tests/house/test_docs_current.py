"""The generated pages say what the code says."""

import os
import subprocess
import sys

from deploy.local.settings import ROOT
from deploy.local.topics import listed_topics
from services.common.contracts import asyncapi
from services.common.kit.kafka import PARTITIONS


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
    assert asyncapi.PARTITIONS == PARTITIONS
