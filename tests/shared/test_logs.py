"""A database error is told without the values it was about."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.database import Database, transaction
from shared.ids import new_id
from shared.logs import told, without_values

CANARY = "3253.77"


async def test_neither_the_text_nor_the_trace_of_a_database_error_holds_a_value(database: Database):
    row = {"id": new_id(), "company": new_id(), "text": CANARY}
    insert = text("INSERT INTO notes VALUES (:id, :company, :text)")
    async with transaction(database.system) as session:
        await session.execute(insert, row)
    async with database.system() as session:
        with pytest.raises(IntegrityError) as caught:
            await session.execute(insert, row)
    assert isinstance(caught.value.orig, psycopg.errors.UniqueViolation)
    assert told(caught.value) == "UniqueViolation 23505 notes_pkey notes"
    assert CANARY not in str(caught.value)
    event = without_values(None, "error", {"event": "x", "exc_info": caught.value})
    assert CANARY not in str(event)
    assert "test_logs.py" in event["exception"]


def test_another_error_is_told_as_it_is():
    assert told(ValueError("no")) == "ValueError: no"
