"""HTTP of carbon factors."""

from typing import Annotated

from fastapi import Query, Response

from services.catalog.carbon import queries
from services.catalog.carbon.schemas import CarbonView
from shared.contracts.fields import Name
from shared.database import ReadSession
from shared.errors import refusals
from shared.http import MalformedRequest
from shared.http import router as house_router
from shared.identity import Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/catalog/carbon-factors", tag="carbon")


@router.get("", summary="Carbon factors with their sources", responses=refusals(MalformedRequest, CursorInvalid))
async def carbon_factors(
    _: Visitor,
    session: ReadSession,
    paging: PageQuery,
    response: Response,
    type: Annotated[Name | None, Query(examples=["RB-HRB"], description="One component type.")] = None,  # noqa: A002
) -> list[CarbonView]:
    """Typical A1-A3 values, each with its range, source and confidence, by component type."""
    rows = await queries.factors_page(
        session, type_code=type, limit=paging.limit, after=str(paging.after[0]) if paging.after else None
    )
    return [CarbonView.model_validate(row) for row in paging.page(rows, response, key=lambda row: [row.type_code])]
