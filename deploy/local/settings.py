"""What the local set-up is told from outside: folders, ports, limits, servers to use instead."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ("gateway", "enrollment", "claims", "payments", "notify")
DEFAULT_PORTS = {
    "GATEWAY_PORT": 8080,
    "ENROLLMENT_PORT": 8101,
    "CLAIMS_PORT": 8102,
    "PAYMENTS_PORT": 8103,
    "NOTIFY_PORT": 8104,
    "CLAIMS_FEED_PORT": 8105,
    "SANDBOX_PORT": 8190,
    "KAFKA_PORT": 19092,
    "KAFKA_CONTROLLER_PORT": 19093,
}
SERVICES_WITH_WORKERS = ("enrollment", "claims", "payments", "notify")
FIRST_WORKER_PORT = 8201


@dataclass(frozen=True)
class LocalSettings:
    var_dir: Path
    profile: str
    ports: Mapping[str, int]
    database_urls: Mapping[str, str]  # of servers outside; empty where the embedded one serves
    owner_database_urls: Mapping[str, str]  # of the same; "" where the service owns its tables
    kafka_bootstrap_servers: str | None
    kafka_libs_dir: Path
    kafka_heap_mb: int
    postgres_shared_buffers_mb: int
    postgres_max_wal_mb: int
    postgres_huge_pages: bool
    start_timeout_s: float
    stop_timeout_s: float
    workers: int  # of each service; where there is one, it serves HTTP too

    @property
    def run_dir(self) -> Path:
        return self.var_dir / "run"

    @property
    def log_dir(self) -> Path:
        return self.var_dir / "logs"

    @property
    def data_dir(self) -> Path:
        return self.var_dir / "data"

    def url(self, port_name: str) -> str:
        return f"http://127.0.0.1:{self.ports[port_name]}"


def read_settings(env: Mapping[str, str], var_dir: Path | None = None) -> LocalSettings:
    var = ROOT / (var_dir or env.get("VAR_DIR") or "var")
    urls = {name: env.get(f"{name.upper()}_DATABASE_URL", "") for name in DATABASES}
    outside = {name: url for name, url in urls.items() if url}
    workers = int(env.get("WORKERS", "1"))
    return LocalSettings(
        var_dir=var,
        profile=env.get("PROFILE", "development"),
        ports={name: int(env.get(name, port)) for name, port in default_ports(workers).items()},
        database_urls=outside,
        owner_database_urls={
            name: env.get(f"{name.upper()}_OWNER_DATABASE_URL", "") for name in outside
        },
        kafka_bootstrap_servers=env.get("KAFKA_BOOTSTRAP_SERVERS") or None,
        kafka_libs_dir=ROOT / (env.get("KAFKA_LIBS_DIR") or var / "kafka" / "libs"),
        kafka_heap_mb=int(env.get("KAFKA_HEAP_MB", "512")),
        postgres_shared_buffers_mb=int(env.get("POSTGRES_SHARED_BUFFERS_MB", "1024")),
        postgres_max_wal_mb=int(env.get("POSTGRES_MAX_WAL_MB", "8192")),
        postgres_huge_pages=env.get("POSTGRES_HUGE_PAGES") == "1",
        start_timeout_s=float(env.get("START_TIMEOUT_S", "120")),
        stop_timeout_s=float(env.get("STOP_TIMEOUT_S", "25")),
        workers=workers,
    )


def worker_port(service: str, number: int) -> str:
    """Name the setting of a worker's port; a worker serves its health and its metrics there."""
    return f"{service.upper()}_WORKER_{number}_PORT"


def default_ports(workers: int) -> dict[str, int]:
    """Give the ports by their settings' names; only where there are several, workers have some."""
    names = [
        worker_port(service, number)
        for service in SERVICES_WITH_WORKERS
        for number in range(workers if workers > 1 else 0)
    ]
    return DEFAULT_PORTS | {name: FIRST_WORKER_PORT + place for place, name in enumerate(names)}


def free_ports(count: int) -> list[int]:
    """Ports that nobody holds, all different: every socket stays open until the last is found."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def free_port_env(workers: int = 1) -> dict[str, str]:
    """Choose settings under which a second platform can run beside the first."""
    names = list(default_ports(workers))
    return {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}
