"""What Alembic runs to change the schema, on the connection that `telephony.records.upgrade` gives it."""

from alembic import context

from telephony.records.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
