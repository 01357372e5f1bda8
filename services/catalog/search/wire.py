"""The search's statements on the driver's own connection: nothing is compiled and no row is wrapped twice."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import driver_connection

_BIND = re.compile(r"(?<![:\w]):([a-z_0-9]+)")


async def fetch(session: AsyncSession, statement: str, binds: Mapping[str, Any]) -> list[Any]:
    """The rows of a statement, its binds written `:name` as everywhere; values by name as attributes."""
    connection = await driver_connection(session)
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(_driver_form(statement), binds)
        return await cursor.fetchall()


async def fetch_none(session: AsyncSession, statement: str, binds: Mapping[str, Any]) -> None:
    """The same of a statement that tells nothing."""
    connection = await driver_connection(session)
    async with connection.cursor() as cursor:
        await cursor.execute(_driver_form(statement), binds)


@lru_cache(maxsize=2_000)
def _driver_form(statement: str) -> bytes:
    """As psycopg writes binds, without indentation: it reads texts above 4 kB anew each time.

    There are few texts: values, however many, are never part of one.
    """
    return _BIND.sub(r"%(\1)s", " ".join(statement.split()).replace("%", "%%")).encode()
