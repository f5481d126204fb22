"""The embedded Kafka: one broker that is its own controller, its jars fetched by Maven."""

import asyncio
import base64
import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import string
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import SetupFailed, run
from deploy.local.settings import ROOT

CONFIG_DIR = ROOT / "deploy" / "kafka"
_STAMP = ".pom-sha256"


@dataclass(frozen=True)
class EmbeddedKafka:
    data_dir: Path
    libs_dir: Path
    port: int
    controller_port: int
    heap_mb: int
    log: Path

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def _properties(self) -> Path:
        return self.data_dir.with_name(self.data_dir.name + ".properties")

    @property
    def command(self) -> list[str]:
        return [*self._java(f"-Xmx{self.heap_mb}m"), "kafka.Kafka", str(self._properties)]

    async def prepare(self) -> None:
        await asyncio.to_thread(fetch_jars, self.libs_dir)
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        template = string.Template((CONFIG_DIR / "server.properties").read_text())
        values = {"port": self.port, "controller_port": self.controller_port}
        self._properties.write_text(template.substitute(values, data_dir=self.data_dir))
        if not (self.data_dir / "meta.properties").exists():
            await self._format()

    async def _format(self) -> None:
        """Begin a new cluster id, by which every relay knows to begin again."""
        shutil.rmtree(self.data_dir, ignore_errors=True)
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        command = [*self._java("-Xmx128m"), "kafka.tools.StorageTool", "format"]
        # An id that begins with a dash would be read as an option.
        command += [f"--cluster-id={cluster_id}", "--config", str(self._properties)]
        await run(command, log=self.log, env=os.environ)

    def _java(self, heap: str) -> Sequence[str]:
        log = "-Dorg.slf4j.simpleLogger."
        return (
            "java",
            "-Xms64m",
            heap,
            "-XX:TieredStopAtLevel=1",  # measured: 8 to 9 µs a claim against 18 with C2
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.net.preferIPv4Stack=true",
            f"{log}defaultLogLevel=warn",
            f"{log}showDateTime=true",
            f"{log}dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "-cp",
            f"{self.libs_dir}/*",
        )

    async def ready(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True


def fetch_jars(libs_dir: Path) -> None:
    """Once for every pom; whoever comes second waits for the first and finds them there."""
    pom = CONFIG_DIR / "pom.xml"
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    stamp = libs_dir / _STAMP
    if stamp.exists() and stamp.read_text() == wanted and shutil.which("java"):
        return
    libs_dir.parent.mkdir(parents=True, exist_ok=True)
    with libs_dir.with_name(libs_dir.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _have_java()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        print("fetching the jars of Kafka", flush=True)
        half = libs_dir.with_name(libs_dir.name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        command = ["mvn", "-q", "-B", "-C", "-Dstyle.color=never", "-f", str(pom)]
        command += ["dependency:copy-dependencies", f"-DoutputDirectory={half}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise SetupFailed(f"Maven could not fetch Kafka:\n{done.stdout}{done.stderr}")
        (half / _STAMP).write_text(wanted)
        shutil.rmtree(libs_dir, ignore_errors=True)
        half.rename(libs_dir)


def _have_java() -> None:
    if shutil.which("java") and shutil.which("mvn"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetupFailed("Kafka needs Java 17 or later and Maven: install both and try again")
    print("installing Java and Maven", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "maven"]):
        done = subprocess.run(
            ["apt-get", "-q", *arguments], check=False, capture_output=True, text=True, env=quiet
        )
        if done.returncode != 0:
            raise SetupFailed(f"apt-get {arguments[0]} failed:\n{done.stderr}")
