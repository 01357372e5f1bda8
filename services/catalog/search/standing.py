"""What other steps of the catalog say about what is found; the search asks here and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog.carbon import queries as carbon_queries
from services.catalog.search.schemas import EquivalentView
from services.catalog.search.views import Beside
from shared.identity import Principal


async def beside(session: AsyncSession, *, type_codes: Sequence[str], on: date) -> Beside:
    """What is known of these types on a day."""
    factors = await carbon_queries.factors_of_types(session, type_codes=sorted(set(type_codes)))
    return Beside(
        withdrawn=await withdrawn_editions(session, on=on),
        carbon_sources={code: factor.source for code, factor in factors.items()},
    )


async def withdrawn_editions(session: AsyncSession, *, on: date) -> frozenset[str]:  # noqa: ARG001
    """Numbers of editions withdrawn on that day; none are known before a register of standards is kept."""
    return frozenset()


async def equivalents_of(
    session: AsyncSession,  # noqa: ARG001
    *,
    variant_ids: Sequence[UUID],  # noqa: ARG001
    viewer: frozenset[str],  # noqa: ARG001
    on: date,  # noqa: ARG001
) -> Mapping[UUID, list[EquivalentView]]:
    """Approved substitutes by variant; none are known before equivalents are kept."""
    return {}


async def variants_of_code(
    session: AsyncSession,  # noqa: ARG001
    *,
    code: str,  # noqa: ARG001
    caller: Principal | None,  # noqa: ARG001
    on: date,  # noqa: ARG001
) -> list[UUID]:
    """The variants that a code of the caller's own company means; none before codes are mapped."""
    return []
