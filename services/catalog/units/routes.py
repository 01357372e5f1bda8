"""HTTP of units."""

from services.catalog.units import queries
from services.catalog.units.schemas import UnitView
from shared.database import ReadSession
from shared.http import router as house_router
from shared.identity import Visitor

router = house_router("/catalog/units", tag="units")


@router.get("", summary="Units of measure")
async def units(_: Visitor, session: ReadSession) -> list[UnitView]:
    """Every unit with its Chinese names, UN/ECE code, dimension and decimal places."""
    return [
        UnitView(
            code=unit.code,
            names_zh=unit.name_zh.split("/"),
            unece=unit.unece or None,
            dimension=unit.dimension,
            decimals=unit.decimals,
        )
        for unit in (await queries.all_units(session)).values()
    ]
