"""HTTP of classification codes."""

from typing import Annotated

from fastapi import Query

from services.catalog.classification import queries
from services.catalog.classification.rules import CodeSystem
from services.catalog.classification.schemas import CodeView
from shared.contracts.fields import Name
from shared.database import ReadSession
from shared.http import router as house_router
from shared.identity import Visitor

router = house_router("/catalog/codes", tag="classification")


@router.get("", summary="Find component types by a code of any system")
async def codes(
    _: Visitor,
    session: ReadSession,
    code: Annotated[Name, Query(examples=["IfcSlab.FLOOR"], description="Case does not matter.")],
    system: Annotated[CodeSystem | None, Query()] = None,
) -> list[CodeView]:
    """Own codes, IFC entities (with or without a predefined type) and GB/T 50851 classes each find their types.

    A code nobody uses finds nothing: an empty list.
    """
    return [CodeView.model_validate(row) for row in await queries.codes_matching(session, code=code, system=system)]
