"""HTTP of a group's own relations to suppliers, as its imports brought them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from fastapi import Response
from pydantic import Field

from services.suppliers.merging.queries import open_duplicates
from services.suppliers.supplier_imports import queries
from shared.contracts.fields import Answer
from shared.database import ReadSession, scope_to
from shared.errors import refusals
from shared.http import router as house_router
from shared.identity import Buyer, CompanyNeeded
from shared.paging import CursorInvalid, PageQuery
from shared.tax_numbers import uscc_fault

router = house_router("/suppliers/relations", tag="supplier imports")
_SHARE = Decimal("0.0001")


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


class RelationSummary(Answer):
    """How sound your group's suppliers are on record: what the gates of a stage change ask."""

    suppliers: int = Field(description="Current relations, each record once.")
    valid_number: int = Field(description="Those whose number is a 统一社会信用代码 with a right check digit.")
    open_duplicates: int = Field(description="Those that may be one company with another record; undecided.")
    sound_share: str | None = Field(description="Valid and in no open pair / all; none without suppliers.")


@router.get("/summary", summary="How sound your group's suppliers are on record", responses=refusals(CompanyNeeded))
async def summary(caller: Buyer, session: ReadSession) -> RelationSummary:
    """Over all suppliers of your group's ledger; the gate itself counts the active ones of a category."""
    group_id = caller.group_id or caller.company
    await scope_to(session, caller.company, group_id)
    numbers = await queries.numbers_of_group(session, group_id=group_id)
    doubtful = await open_duplicates(session, list(numbers))
    valid = {supplier_id for supplier_id, number in numbers.items() if uscc_fault(number) is None}
    share = str((Decimal(len(valid - doubtful)) / len(numbers)).quantize(_SHARE)) if numbers else None
    return RelationSummary(
        suppliers=len(numbers), valid_number=len(valid), open_duplicates=len(doubtful), sound_share=share
    )
