"""What other steps of the catalog say about what is found; the search asks here and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.carbon import queries as carbon_queries
from services.catalog.components import queries as component_queries
from services.catalog.components.rules import TypeDefinition
from services.catalog.equivalents import queries as equivalent_queries
from services.catalog.mapping import queries as mapping_queries
from services.catalog.restrictions import queries as restriction_queries
from services.catalog.restrictions.rules import Restriction as Entry
from services.catalog.restrictions.rules import holds_at, live
from services.catalog.restrictions.tables import RestrictionEntry
from services.catalog.search.schemas import EquivalentView
from services.catalog.search.views import Beside, Restriction
from services.catalog.standards import queries as standard_queries
from shared.identity import Principal


async def beside(session: AsyncSession, *, type_codes: Sequence[str], on: date, region: str | None) -> Beside:
    """What is known of these types on a day, at a place."""
    codes = sorted(set(type_codes))
    factors = await carbon_queries.factors_of_types(session, type_codes=codes)
    held: dict[str, list[Restriction]] = {}
    for entry in await restriction_queries.restrictions_for(session, on=on, region=region, type_codes=codes):
        held.setdefault(entry.type_code, []).append(_told(entry))
    return Beside(
        withdrawn=frozenset(await standard_queries.withdrawn_editions(session, on=on)),
        restrictions=held,
        deprecated=_out_of_use(await component_queries.definitions(session, codes=codes)),
        carbon_sources={code: factor.source for code, factor in factors.items()},
    )


async def carbon_sources(session: AsyncSession) -> Mapping[str, str]:
    """Where the carbon factor of each type is from."""
    return await carbon_queries.sources(session)


async def restrictions(session: AsyncSession) -> Sequence[Entry]:
    """The whole restricted and banned list, whatever the day and the place."""
    return await restriction_queries.all_restrictions(session)


async def withdrawals(session: AsyncSession) -> Mapping[str, date]:
    """From which day on each edition of a standard is withdrawn, by `edition_key`."""
    return await standard_queries.withdrawals(session)


def beside_of(
    *,
    definitions: Mapping[str, TypeDefinition],
    carbon_sources: Mapping[str, str],
    restrictions: Sequence[Entry],
    withdrawn: Mapping[str, date],
    on: date,
    region: str | None,
) -> Beside:
    """What `beside` tells of all types, out of what is kept in memory."""
    held: dict[str, list[Restriction]] = {}
    for entry in restrictions:
        there = not entry.regions if region is None else holds_at(regions=entry.regions, region=region)
        if there and live(from_on=entry.from_on, until_on=entry.until_on, on=on):
            held.setdefault(entry.type_code, []).append(_told(entry))
    return Beside(
        withdrawn=frozenset(key for key, day in withdrawn.items() if day <= on),
        restrictions=held,
        deprecated=_out_of_use(definitions),
        carbon_sources=carbon_sources,
    )


def _out_of_use(definitions: Mapping[str, TypeDefinition]) -> dict[str, str]:
    return {
        code: f"The dictionary deprecates type {code}" + (f"; use {each.successor} instead." if each.successor else ".")
        for code, each in definitions.items()
        if each.deprecated
    }


def _told(entry: RestrictionEntry | Entry) -> Restriction:
    told = f"It is {entry.kind} there from {entry.from_on} on ({entry.source}): {entry.text}"
    return Restriction(properties=entry.properties, told=told)


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
