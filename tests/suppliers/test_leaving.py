"""What `suppliers` does about companies that left the platform, or came into an operator's group."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from services.suppliers.reactions import REACTIONS
from shared.contracts.members import COMPANY_AFFILIATED, COMPANY_LEFT
from shared.database import Database, transaction
from shared.feed import Event
from shared.ids import new_id
from tests.conftest import CreateDatabase

AT = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize("status", ["REGISTERED", "QUALIFIED", "SUSPENDED"])
async def test_its_record_is_closed_once_and_told(create_database: CreateDatabase, status: str):
    database: Database = create_database("suppliers")
    supplier = new_id()
    async with transaction(database.system) as session:
        await session.execute(
            text(
                "INSERT INTO suppliers (company_id, name, tax_id, status, categories, regions, version, "
                "created_at, updated_at) VALUES (:id, 'x', 'y', :status, '{rebar}', '{}', 1, now(), now())"
            ),
            {"id": supplier, "status": status},
        )
    event = Event(
        id=new_id(),
        source="members",
        type=COMPANY_LEFT,
        subject=str(supplier),
        time=AT,
        data={"company_id": str(supplier), "left_at": AT.isoformat()},
        position="1-1",
    )
    stranger = replace(event, data={**event.data, "company_id": str(new_id())})
    for _ in range(2):
        async with transaction(database.system) as session:
            await REACTIONS["members"][COMPANY_LEFT](session, [event, stranger])
    async with transaction(database.system) as session:
        assert await session.scalar(text("SELECT status FROM suppliers")) == "EXITED"
        told = (await session.scalars(text("SELECT data->>'status' FROM events"))).all()
        assert told == ["EXITED"]


async def test_a_supplier_in_an_operators_group_is_marked_and_told(create_database: CreateDatabase):
    database: Database = create_database("suppliers")
    supplier = new_id()
    async with transaction(database.system) as session:
        await session.execute(
            text(
                "INSERT INTO suppliers (company_id, name, tax_id, status, categories, regions, version, "
                "created_at, updated_at) VALUES (:id, 'x', 'y', 'QUALIFIED', '{rebar}', '{}', 1, now(), now())"
            ),
            {"id": supplier},
        )
    for operator in (new_id(), new_id(), None):
        event = Event(
            id=new_id(),
            source="members",
            type=COMPANY_AFFILIATED,
            subject=str(supplier),
            time=AT,
            data={"company_id": str(supplier), "operator_id": None if operator is None else str(operator)},
            position="1-1",
        )
        async with transaction(database.system) as session:
            await REACTIONS["members"][COMPANY_AFFILIATED](session, [event])
    async with transaction(database.system) as session:
        rows = await session.execute(text("SELECT data->>'affiliated_with_operator', data->>'status' FROM events"))
        assert [tuple(row) for row in rows] == [("true", "QUALIFIED"), ("false", "QUALIFIED")]
