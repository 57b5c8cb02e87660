"""What Alembic runs: the scripts of this folder, on the connection that ``gridmap.store.migration`` hands over."""

from __future__ import annotations

from alembic import context

from gridmap.store.migration import compare_options

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True, **compare_options(connection.dialect.name))
with context.begin_transaction():
    context.run_migrations()
