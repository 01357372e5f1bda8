"""Sessions, transactions and the second wall (row level security).

Only this module commits. A route names the session it needs by type:

- `ReadSession`: a read-only transaction as `<service>_app`, seeing the caller's company's rows.
- `WriteSession`: one transaction as `<service>_app`, committed before the answer is sent, with the
  Idempotency-Key stored in it (`shared.idempotency`).
- `SystemSession`: one transaction as `<service>_worker`, which row level security does not bind: only where no
  single company owns the work (sign-in, operators' pages, followers).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import orjson
import psycopg
from fastapi import Depends, Request
from sqlalchemy import MetaData, event, text
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from shared import idempotency
from shared.audit import entries as audit
from shared.house_tables import add_house_tables
from shared.identity import Principal, Visitor

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Sessions = async_sessionmaker[AsyncSession]
_START_ATTEMPTS = 60
_START_PAUSE_SECONDS = 0.5
_TRUSTED_SECONDS = 1.0

# A transaction that waits for its own process ends before it can hold back the feeds for long.
_SESSION_OPTIONS = "-c jit=off -c timezone=UTC -c statement_timeout=60000 -c idle_in_transaction_session_timeout=20000"


def async_url(url: str) -> str:
    """The SQLAlchemy form of a plain `postgresql://` URL, on psycopg 3."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


class Database:
    """A service's two doors to its database."""

    def __init__(
        self, *, app_url: str, system_url: str, pool_size: int = 10, transaction_seconds: int | None = None
    ) -> None:
        """`transaction_seconds` ends any transaction of the app's role that takes longer."""
        limit = "" if transaction_seconds is None else f" -c transaction_timeout={transaction_seconds}s"
        self.app_engine = self._engine(app_url, pool_size, _SESSION_OPTIONS + limit)
        self.system_engine = self._engine(system_url, pool_size, _SESSION_OPTIONS)
        self.app: Sessions = async_sessionmaker(self.app_engine, expire_on_commit=False)
        self.system: Sessions = async_sessionmaker(self.system_engine, expire_on_commit=False)

    @staticmethod
    def _engine(url: str, pool_size: int, options: str) -> AsyncEngine:
        engine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            hide_parameters=True,  # contract prices stay out of error texts and logs (design.md rule 8)
            json_deserializer=orjson.loads,
            connect_args={"options": options},
        )
        _ping_after_a_rest(engine)
        return engine

    async def check(self) -> None:
        """Fail at start-up when the app could walk around the second wall.

        A database that is still starting, or recovering after a crash, is waited for.

        Raises:
            RuntimeError: the app connects as superuser, or with BYPASSRLS, or as an owner of tables.
            OperationalError: the database stayed away for longer than a recovery takes.
        """
        for _ in range(_START_ATTEMPTS):
            with contextlib.suppress(OperationalError):
                return await self._check()
            await asyncio.sleep(_START_PAUSE_SECONDS)
        return await self._check()

    async def _check(self) -> None:
        async with self.app_engine.connect() as connection:
            row = await connection.execute(
                text(
                    "SELECT rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) "
                    "FROM pg_roles r WHERE rolname = current_user"
                )
            )
            if row.scalar_one():
                message = "The app must not connect as superuser, table owner or with BYPASSRLS."
                raise RuntimeError(message)

    async def ping(self) -> None:
        """Answer, or raise what the driver raises."""
        async with self.app_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        await self.app_engine.dispose()
        await self.system_engine.dispose()


def _ping_after_a_rest(engine: AsyncEngine) -> None:
    """Ask a pooled connection whether it still answers before it is used, unless it just was.

    `pool_pre_ping` asks every time, one more round trip for every request of a busy service.
    """

    def on_return(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["returned"] = time.monotonic()

    def on_use(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        returned = record.info.get("returned")
        if returned is None or time.monotonic() - returned < _TRUSTED_SECONDS:
            return  # it was opened or used this moment
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", on_return)
    event.listen(engine.sync_engine, "checkout", on_use)


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The driver's own connection under the session's transaction, for hot paths: a third of the cost a statement.

    Its errors are psycopg's; `shared.http` knows them too.
    """
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert isinstance(connection, psycopg.AsyncConnection)  # noqa: S101 - the engine is made here, on psycopg
    return connection


async def scope_to(session: AsyncSession, *company_ids: UUID) -> None:
    """Let this transaction see the rows of these companies, and no others; its audit entry goes to their logs."""
    audit.concerns(session, *company_ids)
    await session.execute(
        text("SELECT set_config('app.companies', :companies, true)"),
        {"companies": ",".join(str(company_id) for company_id in company_ids)},
    )


@contextlib.asynccontextmanager
async def transaction(sessions: Sessions, *company_ids: UUID) -> AsyncIterator[AsyncSession]:
    """One committed transaction for workers and jobs, scoped to `company_ids` when given."""
    async with sessions() as session, session.begin():
        if company_ids:
            await scope_to(session, *company_ids)
        yield session


_READ_ONLY = "SELECT set_config('transaction_read_only', 'on', true), set_config('app.companies', %s, true)"
"""What `SET TRANSACTION READ ONLY` and `scope_to` do, in one statement; off again it cannot be set afterwards."""


def _scope(principal: Principal | None) -> tuple[UUID, ...]:
    return () if principal is None else (principal.scope_id,)


async def _read_session(request: Request, principal: Visitor) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.app() as session, session.begin():
        connection = await driver_connection(session)
        await connection.execute(_READ_ONLY, [",".join(str(company_id) for company_id in _scope(principal))])
        yield session


async def _write_session(request: Request, principal: Visitor) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.app() as session, session.begin():
        await scope_to(session, *_scope(principal))
        await idempotency.begin(session, request=request, principal=principal)
        audit.begin(session, request=request, principal=principal)
        yield session


async def _system_session(request: Request, principal: Visitor) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.system() as session, session.begin():
        await idempotency.begin(session, request=request, principal=principal)
        audit.begin(session, request=request, principal=principal)
        yield session


ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(_write_session, scope="function")]
SystemSession = Annotated[AsyncSession, Depends(_system_session, scope="function")]


def house_metadata() -> MetaData:
    """The metadata of one service, with the tables every service has."""
    metadata = MetaData(naming_convention=NAMING)
    add_house_tables(metadata)
    return metadata
