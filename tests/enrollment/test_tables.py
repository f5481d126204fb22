"""The tables as the code knows them are the tables that the migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.enrollment.tables import metadata
from tests.enrollment.conftest import EnrollmentDesk


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the kit's own tables, which it does not declare to SQLAlchemy."""
    return kind != "table" or name in metadata.tables


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"include_name": _ours, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


async def test_the_migrations_make_the_tables_that_the_code_knows(
    enrollment: EnrollmentDesk,
) -> None:
    engine = create_async_engine(enrollment.settings.database_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(_differences)
    await engine.dispose()
    assert found == []
