"""What a company's codes mean, for services whose documents hold them."""

from services.catalog.mapping import queries
from services.catalog.mapping.callers import MappingUser
from shared.clock import business_date
from shared.contracts.catalog import CodeMeaning, CodesToResolve
from shared.database import SystemSession
from shared.http import Now
from shared.http import router as house_router
from shared.idempotency import EXEMPT

router = house_router("/catalog/mappings", tag="code mapping")


@router.post("/resolve", summary="What a company's codes mean today", openapi_extra=EXEMPT)
async def resolve(body: CodesToResolve, _: MappingUser, session: SystemSession, now: Now) -> list[CodeMeaning]:
    """The variants behind the codes that have a published mapping; the others are left out. Changes nothing."""
    rows = await queries.meanings_of_codes(
        session, company_id=body.company_id, group_id=body.group_id, codes=body.codes, on=business_date(now)
    )
    return [CodeMeaning.model_validate(row) for row in rows]
