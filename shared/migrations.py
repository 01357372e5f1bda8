"""What every service's Alembic environment does."""

import os

from alembic import context
from sqlalchemy import MetaData, create_engine, pool, text

from shared.database import async_url


def run_migrations(metadata: MetaData, *, service: str) -> None:
    """Run the migrations as the service's owner role, waiting at most four seconds for any lock.

    The address is `sqlalchemy.url` of the Alembic configuration, else `<SERVICE>_OWNER_DATABASE_URL`.
    """
    url = context.config.get_main_option("sqlalchemy.url") or os.environ[f"{service.upper()}_OWNER_DATABASE_URL"]
    engine = create_engine(async_url(url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '4s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_server_default=False,
            include_name=lambda name, kind, _: not (kind == "table" and str(name).startswith("procrastinate_")),
        )
        with context.begin_transaction():
            context.run_migrations()
