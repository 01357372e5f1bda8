"""HTTP of a group's own relations to suppliers, as its imports brought them."""

from datetime import datetime
from uuid import UUID

from fastapi import Response
from pydantic import Field

from services.suppliers.supplier_imports import queries
from shared.contracts.fields import Answer
from shared.database import ReadSession, scope_to
from shared.errors import refusals
from shared.http import router as house_router
from shared.identity import Buyer, CompanyNeeded
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers/relations", tag="supplier imports")


class RelationView(Answer):
    """What your group's ledger says of a supplier."""

    id: UUID
    supplier_id: UUID = Field(description="The record it was imported for.")
    resolves_to: UUID = Field(description="The record that stands for it today, after merges.")
    name: str
    category: str | None
    grade: str | None
    list_status: str | None
    bank: str | None
    contacts: str | None
    recorded_at: datetime


@router.get("", summary="What your group's ledger says of suppliers", responses=refusals(CursorInvalid, CompanyNeeded))
async def relations(caller: Buyer, session: ReadSession, paging: PageQuery, response: Response) -> list[RelationView]:
    """Grades, lists and contacts are your group's own: no other group sees them, and no merge changes them."""
    group_id = caller.group_id or caller.company
    await scope_to(session, caller.company, group_id)
    after = paging.after_as(UUID)
    rows = await queries.relations_page(
        session, group_id=group_id, after=after[0] if after else None, limit=paging.limit + 1
    )
    return [RelationView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.id])]
