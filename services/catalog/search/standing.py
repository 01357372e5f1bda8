"""What other steps of the catalog say about what is found; the search asks here and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.carbon import queries as carbon_queries
from services.catalog.equivalents import queries as equivalent_queries
from services.catalog.mapping import queries as mapping_queries
from services.catalog.restrictions import queries as restriction_queries
from services.catalog.search.schemas import EquivalentView
from services.catalog.search.views import Beside, Restriction
from services.catalog.standards import queries as standard_queries
from shared.identity import Principal


async def beside(session: AsyncSession, *, type_codes: Sequence[str], on: date, region: str | None) -> Beside:
    """What is known of these types on a day, at a place."""
    codes = sorted(set(type_codes))
    factors = await carbon_queries.factors_of_types(session, type_codes=codes)
    restrictions: dict[str, list[Restriction]] = {}
    for entry in await restriction_queries.restrictions_for(session, on=on, region=region, type_codes=codes):
        told = f"It is {entry.kind} there from {entry.from_on} on ({entry.source}): {entry.text}"
        restrictions.setdefault(entry.type_code, []).append(Restriction(properties=entry.properties, told=told))
    return Beside(
        withdrawn=frozenset(await standard_queries.withdrawn_editions(session, on=on)),
        restrictions=restrictions,
        carbon_sources={code: factor.source for code, factor in factors.items()},
    )


async def equivalents_of(
    session: AsyncSession, *, variant_ids: Sequence[UUID], viewer: frozenset[str], on: date
) -> Mapping[UUID, list[EquivalentView]]:
    """Approved substitutes by variant, of what the viewer may see."""
    found = await equivalent_queries.equivalents_of(session, variant_ids=variant_ids, viewer=viewer, on=on)
    return {
        variant_id: [EquivalentView.model_validate(each) for each in substitutes]
        for variant_id, substitutes in found.items()
    }


async def variants_of_code(session: AsyncSession, *, code: str, caller: Principal | None, on: date) -> list[UUID]:
    """The variants that a code of the caller's own company or group means."""
    if caller is None or caller.company_id is None:
        return []
    found = await mapping_queries.variants_of_code(
        session, company_id=caller.company_id, group_id=caller.group_id, code=code, on=on
    )
    return [each.variant_id for each in found]
