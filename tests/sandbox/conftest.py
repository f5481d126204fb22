"""Starts the sandbox as the program it is, on a free port, with books in a folder of the test."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest

REPOSITORY = Path(__file__).parents[2]
READY_WITHIN_S = 60.0
CALL_WITHIN_S = 30.0
PAYER = "110000000001"
REST = ("", "", "", "互助金")


@dataclass(frozen=True)
class Line:
    account: str
    name: str
    amount: str
    instruction_id: str


@dataclass
class Sandbox:
    """A running sandbox; it can be killed and started again over the same books."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    http: httpx.Client = field(init=False)

    def start(self) -> None:
        self.port = self.port or _free_port()
        own = {"SANDBOX_PORT": str(self.port), "SANDBOX_DATA_DIR": str(self.folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.sandbox"],
            cwd=REPOSITORY,
            env=os.environ | own | self.settings,
        )
        base = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=base, timeout=CALL_WITHIN_S, trust_env=False)
        give_up = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                if self.http.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError("the sandbox did not come up")

    def stop(self) -> int:
        assert self.process
        self.http.close()
        self.process.terminate()
        return self.process.wait(CALL_WITHIN_S)

    def kill(self) -> None:
        assert self.process
        self.http.close()
        self.process.kill()
        self.process.wait(CALL_WITHIN_S)

    def order(self, **fault: object) -> None:
        answer = self.http.post("/faults", json=fault)
        assert answer.status_code == 201, answer.text

    def put(self, name: str, content: bytes) -> httpx.Response:
        return self.http.put(f"/bank/files/{name}", content=content)

    def result(self, name: str) -> list[str]:
        """Wait for the result file and give its lines."""
        answer = until(
            lambda: self.http.get(f"/bank/files/{name}.ret"), lambda got: got.status_code == 200
        )
        return answer.content.decode("gb18030").split("\r\n")[:-1]

    def pay(self, batch: "BatchText") -> list[list[str]]:
        """Upload a batch and give the five result fields of every line."""
        answer = self.put(batch.name, batch.content)
        assert answer.status_code == 201, answer.text
        return [line.split("|")[9:] for line in self.result(batch.name)[1:-1]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(
    ask: Callable[[], httpx.Response], enough: Callable[[httpx.Response], bool]
) -> httpx.Response:
    give_up = time.monotonic() + CALL_WITHIN_S
    while not enough(answer := ask()):
        assert time.monotonic() < give_up, answer.text
        time.sleep(0.01)
    return answer


@dataclass(frozen=True)
class BatchText:
    """A batch file as a customer writes it; a field that is given wrong stays wrong."""

    number: str
    lines: tuple[Line, ...]
    payer: str = PAYER
    currency: str = "CNY"
    day: str = "20260712"
    announced_count: str = ""
    announced_total: str = ""

    @property
    def name(self) -> str:
        return f"DF_U1_20260712_{self.number[1:]}.txt"

    @property
    def content(self) -> bytes:
        fen = sum(int(line.amount.replace(".", "")) for line in self.lines)
        header = [
            self.number,
            self.payer,
            self.announced_count or str(len(self.lines)),
            self.announced_total or f"{fen // 100}.{fen % 100:02d}",
            self.currency,
            self.day,
        ]
        rows = [
            [str(place), line.account, line.name, line.amount, *REST, line.instruction_id]
            for place, line in enumerate(self.lines, 1)
        ]
        return "".join("|".join(row) + "\r\n" for row in [header, *rows]).encode("gb18030")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path_factory.mktemp("sandbox"))
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Give a sandbox that a test may kill; it is not started yet."""
    running = Sandbox(tmp_path / "sandbox")
    yield running
    if running.process and running.process.poll() is None:
        running.kill()


@pytest.fixture(autouse=True)
def _no_order_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "sandbox" in request.fixturenames:
        running: Sandbox = request.getfixturevalue("sandbox")
        running.http.delete("/faults")


@pytest.fixture(scope="session")
def fresh() -> Callable[[], str]:
    """Give a number that no other test uses."""
    numbers = count(1)
    return lambda: f"{next(numbers):06d}"


@pytest.fixture
def line(fresh: Callable[[], str]) -> Callable[..., Line]:
    """Write a line to a card and under an instruction that nobody has used."""

    def write(
        *, account: str = "", name: str = "张三", amount: str = "12.34", instruction: str = ""
    ) -> Line:
        number = fresh()
        return Line(account or f"6217000000{number}", name, amount, instruction or f"I{number}")

    return write


@pytest.fixture
def batch(fresh: Callable[[], str]) -> Callable[..., BatchText]:
    def write(*lines: Line, **wrong: str) -> BatchText:
        return BatchText(f"B{fresh()}", lines, **wrong)

    return write
