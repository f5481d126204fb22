"""Brings a database to the newest shape: alembic, with one environment for all services.

A service keeps only its steps, `services/<name>/migrations/0001_what.py`; the environment and the
template of a step lie beside this file in `migrations/`.

A database has two roles: the owner, who takes the steps and whom no service uses, and the service,
which works on rows and can neither make, change nor drop what the rows lie in.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from alembic import command, op
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.common.kit import outbox, years
from services.common.kit.logs import get_logger

LOCK_TIMEOUT_MS: Final = 2_000
ENVIRONMENT: Final = Path(__file__).parent / "migrations"
# One number for all: a database is one service's, so whoever holds it there is migrating it.
_MIGRATING: Final = 0x6D757475616C
# A table is told by its oid, so it stays in the list under another name.
_APPEND_ONLY: Final = "create table if not exists append_only (relation regclass primary key)"
# A partition is reached through its table alone. The first two tables are the steps' own.
_TABLES: Final = """
    select c.relname, c.oid in (select relation from append_only) as append_only
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
      and not c.relispartition and c.relname not in ('alembic_version', 'append_only')
    order by c.relname
"""
# Others may lie there, of an extension, which are not ours to grant.
_FUNCTIONS: Final = """
    select oid::regprocedure::text from pg_proc
    where pronamespace = 'public'::regnamespace and pg_has_role(proowner, 'usage')
    order by 1
"""
# An owner takes back by itself whatever right is taken from it; a superuser needs none.
_STILL_OWNED: Final = """
    select relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and pg_has_role(:role, relowner, 'member')
    union all
    select datname from pg_database
    where datname = current_database() and pg_has_role(:role, datdba, 'member')
    order by 1
"""


class StillOwner(Exception):
    """The service's role owns its tables or its database, so no right can be kept from it."""


async def upgrade(
    package: str, database_url: str, revision: str = "head", *, owner_url: str | None = None
) -> None:
    """Bring the database of `package` (`services.claims`) to `revision`; a second caller waits.

    `database_url` is the service's own. With `owner_url` the steps are the owner's, and after each
    the service gets the use of the rows; without, one role is both and nothing is granted.
    """
    log = get_logger()
    log.info("migrate.started", name=package)
    role = _service_role(database_url, owner_url) if owner_url else None
    engine = create_async_engine(owner_url or database_url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": _MIGRATING})
            # A step that waits for a lock stops everybody behind it: better to fail and try again.
            await connection.execute(text(f"set lock_timeout = {LOCK_TIMEOUT_MS}"))
            await connection.commit()
            await connection.run_sync(_upgrade, config(package), revision, role)
    finally:
        await engine.dispose()
    log.info("migrate.done", name=package)


def _service_role(database_url: str, owner_url: str) -> str | None:
    role, owner = make_url(database_url).username, make_url(owner_url).username
    if role is None:
        raise ValueError("the database URL names no role to grant the use of the tables to")
    return None if role == owner else role


def _upgrade(connection: Connection, settings: Config, revision: str, role: str | None) -> None:
    def settle_rights(**_: object) -> None:
        if role is not None:
            grant_use(connection, role)

    # In the step's own transaction: what is new is never without its rights, nor beyond them.
    settings.attributes.update(connection=connection, step_taken=settle_rights)
    command.upgrade(settings, revision)
    if connection.scalar(text("select to_regclass('outbox')")) is not None:
        for statement in (*outbox.MONTHS_DDL, *years.DDL):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("select make_years()")
        connection.exec_driver_sql("select outbox_ensure_partitions()")
    # No step may have been due, and the role be new.
    settle_rights()
    connection.commit()


def grant_use(connection: Connection, role: str) -> None:
    """Give `role` the use of the rows and nothing else; what is append-only it may not change.

    Whatever else it was given on a table before is taken back. Raises `StillOwner`.
    """
    quoted = connection.dialect.identifier_preparer.quote_identifier
    service = quoted(role)
    if owned := connection.scalars(text(_STILL_OWNED), {"role": role}).all():
        raise StillOwner(f"{role} still owns {', '.join(owned)}")
    connection.exec_driver_sql(_APPEND_ONLY)
    tables = connection.execute(text(_TABLES)).all()
    every = [quoted(name) for name, _ in tables]
    changed = [quoted(name) for name, append_only in tables if not append_only]
    functions = connection.scalars(text(_FUNCTIONS)).all()
    statements = [
        f"revoke create on schema public from public, {service}",
        f"grant usage on schema public to {service}",
        f"revoke all on all tables in schema public from {service}",
        f"grant usage on all sequences in schema public to {service}",
        *(f"grant execute on routine {function} to {service}" for function in functions),
    ]
    for rights, names in (("select, insert", every), ("update, delete", changed)):
        if names:
            statements.append(f"grant {rights} on {', '.join(names)} to {service}")
    statements += [
        f"alter function {function} security definer set search_path = public, pg_temp"
        for function in functions
        if function in (*outbox.OWNERS_FUNCTIONS, years.OWNERS_FUNCTION)
    ]
    for statement in statements:
        connection.exec_driver_sql(statement)


def append_only(*tables: str) -> None:
    """Say, from within a step, that the service may add rows to these tables and never change one.

    The list lies in the database, so that no later step gives the right back; the owner keeps it.
    """
    bind = op.get_bind()
    bind.exec_driver_sql(_APPEND_ONLY)
    for table in tables:
        bind.execute(
            text("insert into append_only values (to_regclass(:name)) on conflict do nothing"),
            {"name": table},
        )


def execute(statements: Iterable[str]) -> None:
    """Run statements as they stand, from within a step: a colon in them is a colon."""
    bind = op.get_bind()
    for statement in statements:
        bind.exec_driver_sql(statement)


def config(package: str) -> Config:
    """Give alembic's settings for the steps of a package."""
    found = importlib.util.find_spec(package)
    assert found is not None, package
    assert found.submodule_search_locations is not None, package
    settings = Config()
    settings.set_main_option("script_location", str(ENVIRONMENT))
    settings.set_main_option("path_separator", "newline")
    steps = Path(found.submodule_search_locations[0]) / "migrations"
    settings.set_main_option("version_locations", str(steps))
    return settings
