"""HTTP of staged agreement lines: for the group that agreed and for the supplier, nobody else."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from fastapi import Response
from pydantic import Field

from services.orders.agreements import queries
from shared.contracts.fields import Answer
from shared.database import ReadSession, scope_to
from shared.errors import refusals
from shared.http import router as house_router
from shared.identity import CompanyNeeded, TradingParty
from shared.paging import CursorInvalid, PageQuery

router = house_router("/orders/staged-agreements", tag="staged agreements")


class StagedLineView(Answer):
    """A line of a legacy agreement; in force nowhere yet."""

    id: UUID
    agreement_no: str
    supplier_id: UUID
    legacy_code: str
    variant_key: str
    price_kind: str = Field(examples=["fixed"])
    price: Decimal | None
    unit: str | None
    tax_rate: Decimal
    tax_inclusive: bool
    index_name: str | None
    index_premium: Decimal | None
    valid_from: date
    valid_to: date
    tolerance: Decimal | None
    region: str
    flags: list[str] = Field(examples=[["ExpiredButUsed"]])


@router.get("", summary="Staged lines of legacy agreements", responses=refusals(CursorInvalid, CompanyNeeded))
async def staged(
    caller: TradingParty, session: ReadSession, paging: PageQuery, response: Response
) -> list[StagedLineView]:
    """Those of your group, or those in which you are the supplier."""
    group_id = caller.group_id or caller.company
    await scope_to(session, caller.company, group_id)
    after = paging.after_as(UUID)
    rows = await queries.staged_page(
        session,
        group_id=group_id,
        party_id=caller.company,
        after=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return [StagedLineView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.id])]
