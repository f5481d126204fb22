"""A whole platform under a keeper of its own, and the hand that kills, arms and wipes."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.patience import until
from deploy.local.platform import Platform
from deploy.local.process import RunFile, last_lines, spawn
from deploy.local.programs import platform_programs
from deploy.local.settings import free_port_env
from deploy.local.status import running, supervisor_state
from deploy.local.supervisor import SELF
from tests.faults.keeper import ORDERS
from tests.servers import KAFKA_LIBS_DIR

DATABASES = ("enrollment", "claims", "payments", "notify")
START_LIMIT_S = 180.0

# Small chunks, batches and pages, so that a small feed passes every point several times; short
# waits. The provider takes a request for five seconds, as the sandbox and notify both are told.
KNOBS = {
    "PROFILE": "development",
    "KAFKA_HEAP_MB": "256",
    "CLAIMS_CHUNK_ROWS_MIN": "50",
    "CLAIMS_CHUNK_ROWS_MAX": "50",
    "ENROLLMENT_ROSTER_CHUNK_ROWS": "5",
    "PAYMENTS_BATCH_PAYOUTS_MAX": "25",
    "PAYMENTS_BATCH_WAIT_MS": "100",
    "PAYMENTS_RESULT_POLL_MAX_MS": "300",
    "NOTIFY_TEXTS_PER_CALL_MAX": "20",
    "NOTIFY_SMS_REQUEST_EXPIRY_S": "5",
    "NOTIFY_SMS_KEEP_ALIVE_S": "1",
    "NOTIFY_ASK_FIRST_S": "0.2",
    "NOTIFY_CHANNEL_PAUSE_S": "0.2",
    "NOTIFY_RETRY_FIRST_S": "0.2",
    "SANDBOX_SMS_DATE_WINDOW_S": "5",
    **{f"{name.upper()}_CONSUMER_BATCH_ROWS": "40" for name in DATABASES},
    **{f"{name.upper()}_RELAY_PAGE_ROWS": "20" for name in DATABASES},
}


@dataclass
class Record:
    """What was done to the platform, for the report."""

    kills: Counter[str] = field(default_factory=Counter[str])
    points: Counter[str] = field(default_factory=Counter[str])
    rounds: int = 0


class Installation:
    def __init__(self, var_dir: Path, record: Record) -> None:
        self.var_dir = var_dir
        self.record = record
        self._run_dir = var_dir / "run"
        self._keeper: asyncio.subprocess.Process | None = None
        ours = {**KNOBS, "KAFKA_LIBS_DIR": str(KAFKA_LIBS_DIR)}
        self._env = {**os.environ, **free_port_env(), **ours}
        addresses = Platform(var_dir, self._env)
        self.kafka = addresses.kafka_bootstrap
        self.urls = {name: addresses.database_url(name, "postgresql") for name in DATABASES}
        programs = platform_programs(addresses.settings, self._env)
        self._lasting = [program.name for program in programs if not program.once]

    async def start(self) -> None:
        """Start the keeper on what the folder holds; return when everything is ready."""
        log = self.var_dir / "keeper.log"
        command = [sys.executable, "-m", "tests.faults.keeper", str(self.var_dir)]
        # What was migrated stays migrated, however the keeper ended: a core has better to do.
        lasting = [] if self._keeper is None else self._lasting
        keeper = await spawn(
            [*command, *lasting], log=log, env=self._env, death_signal=signal.SIGTERM
        )
        self._keeper = keeper

        async def ready() -> bool | None:
            if keeper.returncode is not None:
                self._keeper = None
                raise AssertionError(f"the keeper has ended:\n{last_lines(log, 40)}")
            return supervisor_state(self._run_dir) == "ready" or None

        await until("all programs ready", ready, limit_s=START_LIMIT_S)

    async def stop(self) -> None:
        if self._keeper is not None and self._keeper.returncode is None:
            self._keeper.terminate()
            await self._keeper.wait()

    async def kill_keeper(self) -> None:
        assert self._keeper is not None
        self._keeper.kill()
        await self._keeper.wait()
        self.record.kills[SELF] += 1

    async def kill(self, *programs: str) -> dict[str, int]:
        """Kill programs that are well; give the ids that have died."""
        await self.come_back(dict.fromkeys(programs, 0))
        found = self._running()
        for name in programs:
            os.kill(found[name].pid, signal.SIGKILL)
            self.record.kills[name] += 1
        return {name: found[name].pid for name in programs}

    async def come_back(self, dead: Mapping[str, int]) -> None:
        """Wait until what has died was started again and says that it is ready."""

        async def ready() -> bool | None:
            found = self._running()
            back = (
                name in found and found[name].pid != pid and found[name].state == "ready"
                for name, pid in dead.items()
            )
            return all(back) or None

        await until(f"{', '.join(dead)} back", ready, limit_s=START_LIMIT_S)

    async def arm(self, points: Mapping[str, Iterable[str]], seed: int | None) -> Path:
        """Have services die at these points, once each; give the folder where hits are noted."""
        folder = self.var_dir / "crash" / str(time.monotonic_ns())
        orders: dict[str, dict[str, str]] = {}
        for program, names in points.items():
            (folder / program).mkdir(parents=True)
            orders[program] = {
                "CRASHPOINTS": ",".join(names),
                "CRASH_DIR": str(folder / program),
                **({} if seed is None else {"CRASH_SEED": str(seed)}),
            }
        (self.var_dir / ORDERS).write_text(json.dumps(orders))
        if self._running():
            await self.come_back(await self.kill(*points))
        return folder

    async def empty_kafka(self) -> None:
        """Take the broker's data away, under its feet if it is kept; it comes back with nothing."""
        assert self._keeper is not None
        gone = self.var_dir / "gone"
        (self.var_dir / "data" / "kafka").rename(gone)
        if self._keeper.returncode is None:
            await self.come_back(await self.kill("kafka"))
        shutil.rmtree(gone, ignore_errors=True)  # a broker that is just dying may write to it yet

    def _running(self) -> dict[str, RunFile]:
        return {name: one for name, one in running(self._run_dir).items() if name != SELF}
