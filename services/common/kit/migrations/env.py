"""Where alembic starts, for every service: the connection is given, a step is a transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transaction_per_migration=True,
    on_version_apply=context.config.attributes["step_taken"],
)
with context.begin_transaction():
    context.run_migrations()
