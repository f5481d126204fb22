"""Which programs make the platform, what each is told, and who waits for whom at the start."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from deploy.local import postgres
from deploy.local.bank_keys import bank_key_env
from deploy.local.kafka import EmbeddedKafka
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.settings import (
    DATABASES,
    ROOT,
    SERVICES_WITH_WORKERS,
    LocalSettings,
    worker_port,
)
from deploy.local.supervisor import Program
from deploy.local.topics import listed_topics, make_topics

SERVERS, SANDBOX, SERVICES, GATEWAY = range(4)
OUTSIDE_URLS = ("PAYMENTS_BANK_URL", "NOTIFY_SMS_URL", "GATEWAY_WECHAT_URL")
_PROBE_TIMEOUT_S = 5.0


def platform_programs(
    settings: LocalSettings, env: Mapping[str, str], say: Callable[[str], None] = lambda _: None
) -> list[Program]:
    database = replace(embedded_postgres(settings), say=say)
    broker = embedded_kafka(settings)
    shared = shared_env(settings, env)
    programs: list[Program] = []
    if set(settings.database_urls) != set(DATABASES):
        programs.append(_postgres_program(database, env))
    if settings.kafka_bootstrap_servers is None:
        programs.append(_kafka_program(broker, env))
    if not all(env.get(name) for name in OUTSIDE_URLS):
        programs.append(_sandbox_program(settings, shared))
    urls = {
        f"{name.upper()}_DATABASE_URL": settings.database_urls.get(name)
        or database.url(name, user=name)
        for name in DATABASES
    }
    owners = {
        f"{name.upper()}_OWNER_DATABASE_URL": settings.owner_database_urls[name]
        if name in settings.database_urls
        else database.url(name, user=postgres.owner_of(name))
        for name in DATABASES
    }
    programs.append(_migrations_program({**shared, **urls, **owners}))
    for name in DATABASES:
        programs += _service_programs(settings, name, urls, shared)
    return programs


def embedded_postgres(settings: LocalSettings) -> EmbeddedPostgres:
    return EmbeddedPostgres(
        data_dir=settings.data_dir / "postgres",
        run_dir=settings.run_dir,
        log=settings.log_dir / "postgres.log",
        settings={
            "shared_buffers": f"{settings.postgres_shared_buffers_mb}MB",
            "max_wal_size": f"{settings.postgres_max_wal_mb}MB",
        },
        huge_pages=settings.postgres_huge_pages,
    )


def embedded_kafka(settings: LocalSettings) -> EmbeddedKafka:
    return EmbeddedKafka(
        data_dir=settings.data_dir / "kafka",
        libs_dir=settings.kafka_libs_dir,
        port=settings.ports["KAFKA_PORT"],
        controller_port=settings.ports["KAFKA_CONTROLLER_PORT"],
        heap_mb=settings.kafka_heap_mb,
        log=settings.log_dir / "kafka.log",
    )


def shared_env(settings: LocalSettings, env: Mapping[str, str]) -> dict[str, str]:
    """Give what every process is told; what the caller's environment says goes before defaults."""
    sandbox = settings.url("SANDBOX_PORT")
    databases = {
        f"{name.upper()}_{whose}DATABASE_URL" for name in DATABASES for whose in ("", "OWNER_")
    }
    return {
        "ENROLLMENT_URL": settings.url("ENROLLMENT_PORT"),
        "CLAIMS_URL": settings.url("CLAIMS_PORT"),
        "PAYMENTS_URL": settings.url("PAYMENTS_PORT"),
        "NOTIFY_URL": settings.url("NOTIFY_PORT"),
        **dict.fromkeys(OUTSIDE_URLS, sandbox),
        "SANDBOX_SMS_REPORT_URL": f"{settings.url('NOTIFY_PORT')}/provider/aliyun/report",
        # The provider takes a request no longer than notify believes it may.
        "SANDBOX_SMS_DATE_WINDOW_S": env.get("NOTIFY_SMS_REQUEST_EXPIRY_S", "900"),
        "PAYMENTS_ISO_DIR": str(settings.data_dir / "wire" / "iso20022"),
        "SANDBOX_ISO_DIR": str(settings.data_dir / "wire" / "iso20022"),
        **bank_key_env(settings.var_dir / "keys"),
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # glibc's arenas would hold on to memory that nobody uses
        # Every service is told the way to its own database alone, and none the owner's.
        **{name: value for name, value in env.items() if name not in databases},
        "VAR_DIR": str(settings.var_dir),
        "PROFILE": settings.profile,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers
        or embedded_kafka(settings).bootstrap,
        "SANDBOX_DATA_DIR": str(settings.data_dir / "sandbox"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH")))),
        **{name: str(port) for name, port in settings.ports.items()},
    }


def _postgres_program(server: EmbeddedPostgres, env: Mapping[str, str]) -> Program:
    return Program(
        name="postgres",
        command=server.command,
        env=env,
        stage=SERVERS,
        where=str(server.socket_dir),
        prepare=server.prepare,
        ready=server.ready,
        settle=partial(server.make_databases, DATABASES),
        end_signal=postgres.END_SIGNAL,
        death_signal=postgres.END_SIGNAL,
    )


def _kafka_program(broker: EmbeddedKafka, env: Mapping[str, str]) -> Program:
    return Program(
        name="kafka",
        command=broker.command,
        env=env,
        stage=SERVERS,
        where=broker.bootstrap,
        prepare=broker.prepare,
        ready=broker.ready,
        settle=partial(make_topics, broker.bootstrap, listed_topics()),
    )


def _sandbox_program(settings: LocalSettings, env: Mapping[str, str]) -> Program:
    return Program(
        name="sandbox",
        command=_python("deploy.sandbox"),
        env=env,
        stage=SANDBOX,
        where=settings.url("SANDBOX_PORT"),
        ready=answers(settings.ports["SANDBOX_PORT"]),
    )


def _migrations_program(env: Mapping[str, str]) -> Program:
    """Give one process for all databases: five would import the same libraries five times."""
    return Program(
        name="migrations",
        command=_python("deploy.local.migrations"),
        env=env,
        stage=SERVICES,
        once=True,
        after=("postgres",),
    )


def _service_programs(
    settings: LocalSettings, name: str, urls: Mapping[str, str], shared: Mapping[str, str]
) -> list[Program]:
    """Give the processes that work on a database."""
    module = name if name == "gateway" else f"services.{name}"
    database_url = f"{name.upper()}_DATABASE_URL"
    env = {**shared, database_url: urls[database_url]}
    stage = GATEWAY if name == "gateway" else SERVICES

    def process(label: str, port_name: str, *arguments: str, **own: str) -> Program:
        return Program(
            name=label,
            command=_python(module, *arguments),
            env={**env, **own, f"{name.upper()}_PORT": str(settings.ports[port_name])},
            stage=stage,
            after=("migrations", "kafka", "sandbox"),
            where=settings.url(port_name),
            ready=answers(settings.ports[port_name]),
        )

    if name in SERVICES_WITH_WORKERS and settings.workers > 1:
        programs = [process(name, f"{name.upper()}_PORT", "--role", "api")]
        for number in range(settings.workers):
            share = {"NUMBER": str(number), "COUNT": str(settings.workers)}
            told = {f"{name.upper()}_WORKER_{what}": value for what, value in share.items()}
            port = worker_port(name, number)
            programs.append(process(f"{name}-worker-{number}", port, "--role", "worker", **told))
    else:
        programs = [process(name, f"{name.upper()}_PORT")]
    if name == "claims":  # a feed must not hold up the people at the door
        programs.append(process("claims-feed", "CLAIMS_FEED_PORT", "--role", "feed"))
    if name == "gateway" and settings.profile == "development":
        programs.append(
            Program(
                name="bootstrap",
                command=_python(module, "bootstrap"),
                env=env,
                stage=stage,
                once=True,
                after=("gateway", "enrollment"),
            )
        )
    return programs


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def answers(port: int, path: str = "/readyz") -> Callable[[], Awaitable[bool]]:
    """Ask a process whether it is ready; a client library would cost more than it saves here."""

    async def ask() -> bool:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
                    status = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return status.split()[1:2] == [b"200"]

    return ask
