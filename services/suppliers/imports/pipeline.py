"""One chunk of rows from the file into the tables, in the caller's transaction.

COPY into temporary tables, then a few statements over all rows at once (design.md section 5). The statements are
sent with their values in place (a client-side cursor): `CREATE TABLE AS` takes no parameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncClientCursor, sql
from psycopg.errors import DataError
from psycopg.rows import namedtuple_row
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.imports import applying, judging, quick, refusing
from services.suppliers.imports.reading import Chunk
from services.suppliers.imports.rules import UNIT_ALIASES
from services.suppliers.spaces.queries import HOLD_REACH
from shared import clock
from shared.database import driver_connection

_SETTINGS = "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'Asia/Shanghai'; SET LOCAL random_page_cost = 1.1"
"""Dates are written year first; a time without offset is China's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedVariant:
    """What `catalog` made of a row's variant: its key, or why it is none."""

    given: str
    key: str | None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What became of a chunk's rows."""

    rows: int = 0
    accepted: int = 0
    unchanged: int = 0
    rejected: int = 0
    warned: int = 0
    nameless: int = 0

    def plus(self, other: "Applied") -> "Applied":
        return Applied(
            rows=self.rows + other.rows,
            accepted=self.accepted + other.accepted,
            unchanged=self.unchanged + other.unchanged,
            rejected=self.rejected + other.rejected,
            warned=self.warned + other.warned,
            nameless=self.nameless + other.nameless,
        )


async def apply_chunk(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    job_id: UUID,
    chunk: Chunk,
    variants: Sequence[NamedVariant],
    snapshot: bool,
    received_at: datetime,
    at: datetime,
) -> Applied:
    """Take the rows of one chunk; `snapshot` keeps in mind what they name."""
    connection = await driver_connection(session)
    values = {
        "supplier_id": supplier_id,
        "job_id": job_id,
        "first_row": chunk.first_row,
        "received_at": received_at,
        "on": clock.business_date(received_at),
        "unit_aliases": orjson.dumps(UNIT_ALIASES).decode(),
        "at": at,
    }
    async with AsyncClientCursor(connection, row_factory=namedtuple_row) as cursor:
        await cursor.execute(_SETTINGS)
        await cursor.execute(HOLD_REACH, values)
        await _stage(cursor, chunk, variants)
        await cursor.execute(applying.LOCK_STOCK, values)
        first = await _quickly(cursor, values, snapshot=snapshot)
        rest = Applied() if first.rows == chunk.rows else await _carefully(session, cursor, values, snapshot=snapshot)
    return first.plus(rest)


async def _stage(cursor: AsyncClientCursor[Any], chunk: Chunk, variants: Sequence[NamedVariant]) -> None:
    await cursor.execute(judging.CREATE_ROWS)
    await cursor.execute(judging.CREATE_VARIANTS)
    if variants:
        async with cursor.copy("COPY sync_variants (given, key, code, detail) FROM STDIN") as copy:
            for variant in variants:
                await copy.write_row((variant.given, variant.key, variant.code, variant.detail))
    await cursor.execute("SAVEPOINT staged")
    try:
        await _copy(cursor, "sync_rows", chunk)
    except DataError:
        # Some row does not fit the types. Take all as text, and let the database say which.
        await cursor.execute("ROLLBACK TO SAVEPOINT staged")
        await cursor.execute(judging.CREATE_TEXT)
        await _copy(cursor, "sync_text", chunk)
        await cursor.execute(judging.TEXT_TO_ROWS)


async def _copy(cursor: AsyncClientCursor[Any], table: str, chunk: Chunk) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, chunk.columns)),
        sql.SQL("" if chunk.delimiter is None else "(FORMAT csv, DELIMITER {})").format(sql.Literal(chunk.delimiter)),
    )
    async with cursor.copy(statement) as copy:
        await copy.write(chunk.data)


async def _quickly(cursor: AsyncClientCursor[Any], values: Mapping[str, Any], *, snapshot: bool) -> Applied:
    """The rows that only bring a new count or price; none when a place moved meanwhile, and `_carefully` takes all."""
    await cursor.execute("SAVEPOINT quick")
    await cursor.execute(quick.CREATE_QUICK, values)
    tally = await _one(cursor, quick.TALLY_QUICK)
    short: list[int] = []
    reached = 0
    if tally.prices:
        reached += (await _one(cursor, quick.UPDATE_PRICES, values))[0]
    if tally.counts:
        counted, short = await _one(cursor, quick.UPDATE_COUNTS, values)
        reached += counted
    if reached != tally.prices + tally.counts:
        await cursor.execute("ROLLBACK TO SAVEPOINT quick")
        return Applied()
    if short:
        await cursor.execute(quick.WARN_QUICK, {**values, "short": short})
    if snapshot:
        await cursor.execute(quick.KEEP_SEEN_QUICK, values)
    await cursor.execute(quick.FORGET_QUICK)
    return Applied(rows=tally.rows, accepted=tally.rows - tally.unchanged, unchanged=tally.unchanged, warned=len(short))


async def _carefully(
    session: AsyncSession, cursor: AsyncClientCursor[Any], values: Mapping[str, Any], *, snapshot: bool
) -> Applied:
    """All that is left: judged column by column, then written."""
    await cursor.execute(judging.CREATE_JUDGED, values)
    await refusing.refuse(session, cursor, values)
    tally = await _one(cursor, applying.TALLY)
    if tally.new_offers:
        await cursor.execute(applying.NAME_NEW_OFFERS)
    repeated = tally.repeated > 0
    if repeated:
        await cursor.execute(applying.MARK_SUPERSEDED)
        await cursor.execute(applying.WIDEN_SUPERSEDING)
    if tally.items:
        await cursor.execute(applying.UPSERT_ITEMS, values)
    if tally.terms or repeated:
        await cursor.execute(applying.UPSERT_OFFERS, values)
    short: list[tuple[str, str]] = []
    if tally.counts or repeated:
        await cursor.execute(applying.UPSERT_STOCK, values)
        short = await cursor.fetchall()
    if tally.rejected:
        await cursor.execute(applying.KEEP_REJECTED, values)
    warned = 0
    if short or repeated:
        items, points = [row[0] for row in short], [row[1] for row in short]
        await cursor.execute(applying.KEEP_WARNINGS, {**values, "items": items, "points": points})
        warned = cursor.rowcount
    if snapshot:
        await cursor.execute(applying.KEEP_SEEN, values)
    return Applied(
        rows=tally.rows,
        accepted=tally.rows - tally.rejected - tally.unchanged,
        unchanged=tally.unchanged,
        rejected=tally.rejected,
        warned=warned,
        nameless=tally.nameless,
    )


async def zero_missing(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    job_id: UUID,
    stock_points: Sequence[str],
    as_of: datetime,
    at: datetime,
    limit: int,
) -> int:
    """Set to zero at most `limit` levels at these stock points that the snapshot did not name; how many were."""
    connection = await driver_connection(session)
    async with AsyncClientCursor(connection, row_factory=namedtuple_row) as cursor:
        values = {
            "supplier_id": supplier_id,
            "job_id": job_id,
            "points": list(stock_points),
            "as_of": as_of,
            "at": at,
            "limit": limit,
        }
        return int((await _one(cursor, applying.ZERO_MISSING, values))[0])


async def _one(cursor: AsyncClientCursor[Any], statement: str, values: Mapping[str, Any] | None = None) -> Any:
    await cursor.execute(statement, values)
    return await cursor.fetchone()
