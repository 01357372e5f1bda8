"""What `catalog` says of variants, asked before a transaction and kept in `known_variants`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.offers.tables import KnownVariant
from shared.contracts.catalog import VariantReference, VariantResult, VariantSnapshot


class VariantSource(Protocol):
    """Where variants are found and made: `shared.clients.catalog.CatalogClient`, or a table in a test."""

    async def resolve(
        self, *, references: Sequence[VariantReference], timeout_seconds: float = 30
    ) -> list[VariantResult]:
        """The results in the order asked, at most RESOLVE_AT_MOST of them. Raises ServiceUnknown, ServiceAway."""
        ...


async def known_variant(session: AsyncSession, *, key: str) -> KnownVariant | None:
    """What is kept of a variant."""
    return await session.get(KnownVariant, key)


async def known_keys(session: AsyncSession, *, keys: Sequence[str]) -> set[str]:
    """Those of the keys that are kept."""
    found = await session.execute(
        text("SELECT key FROM known_variants WHERE key = ANY (CAST(:keys AS text[]))"), {"keys": list(keys)}
    )
    return set(found.scalars())


_REMEMBER = text(
    """
    INSERT INTO known_variants (
        key, id, type_code, category, name_zh, name_en, base_unit, base_decimals, unit_factors, unit_decimals,
        spec_hash, snapshot, learned_at
    )
    SELECT
        v ->> 'key', CAST(v ->> 'id' AS uuid), v ->> 'type_code', v ->> 'category', v ->> 'name_zh', v ->> 'name_en',
        v ->> 'base_unit', CAST(v ->> 'base_decimals' AS smallint), v -> 'unit_factors', v -> 'unit_decimals',
        v ->> 'spec_hash', v, :at
    FROM jsonb_array_elements(CAST(:snapshots AS jsonb)) AS v
    ORDER BY v ->> 'key'
    ON CONFLICT DO NOTHING
    """
)


async def remember(session: AsyncSession, *, snapshots: Sequence[VariantSnapshot], at: datetime) -> None:
    """Keep what `catalog` answered; a variant that is kept already never changes."""
    if snapshots:
        body = orjson.dumps([snapshot.model_dump(mode="json") for snapshot in snapshots]).decode()
        await session.execute(_REMEMBER, {"snapshots": body, "at": at})
