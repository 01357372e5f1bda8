"""What follows when a stage, a circle, a group or an admission changes: new reaches at once, new keys in batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.spaces import queries
from services.suppliers.spaces.queries import Pair
from services.suppliers.spaces.rules import named_ids, offer_keys
from services.suppliers.spaces.tables import OfferReach
from shared.audience import Audience, Space
from shared.clock import business_date
from shared.contracts.members import CircleChanged, CompanyLinked, StageChanged

_ALWAYS = ((Audience.MEMBERS, ()), (Audience.PUBLIC, ()))
"""Audiences that name nobody: a sync may give them to any offer, so their reach is always there."""

Named = tuple[Audience, tuple[UUID, ...]]


async def keys_for(
    session: AsyncSession, *, supplier_id: UUID, category: str, audience: Audience, ids: Sequence[UUID]
) -> list[str]:
    """The keys an offer gets that its supplier writes in this transaction; its reach is kept for later changes."""
    await queries.hold_reach(session, supplier_id=supplier_id)
    named = named_ids(audience, ids)
    known = await queries.reach(session, supplier_id=supplier_id, category=category, audience=audience, ids=named)
    if known is not None:
        return known
    spaces = await queries.spaces_of(session, supplier_id=supplier_id, category=category)
    keys = sorted(offer_keys(audience, named, owner=supplier_id, spaces=spaces))
    row = OfferReach(supplier_id=supplier_id, category=category, audience=audience, audience_ids=named, keys=keys)
    await session.execute(insert(OfferReach).values(row.model_dump()).on_conflict_do_nothing())
    return keys


async def reach_again(session: AsyncSession, *, pairs: Iterable[Pair], at: datetime) -> None:
    """Work out how far offers of these suppliers and categories reach now. Narrower reaches hold from the commit on;
    the offers' own keys, which the search index follows, are written by `spaces.jobs`."""
    touched = set(pairs)
    if not touched:
        return
    await queries.lock_reaches_for_change(session, supplier_ids={supplier_id for supplier_id, _ in touched})
    spaces: dict[Pair, list[Space]] = defaultdict(list)
    for row in await queries.renew_spaces(session, pairs=touched):
        spaces[row.supplier_id, row.category].append(queries.as_space(row))
    kept: dict[Pair, dict[Named, frozenset[str]]] = {pair: {} for pair in touched}
    for row in await queries.reaches_of(session, pairs=touched):
        named = (Audience(row.audience), tuple(row.audience_ids))
        kept[row.supplier_id, row.category][named] = frozenset(row.keys)
    changed: list[dict[str, Any]] = []
    narrowed: dict[Pair, bool] = {}
    for pair in sorted(touched):
        for audience, ids in dict.fromkeys([*_ALWAYS, *kept[pair]]):
            keys = offer_keys(audience, ids, owner=pair[0], spaces=spaces[pair])
            before = kept[pair].get((audience, ids))
            if keys == before:
                continue
            changed.append(
                {
                    "supplier_id": pair[0],
                    "category": pair[1],
                    "audience": audience.value,
                    "audience_ids": ids,
                    "keys": sorted(keys),
                }
            )
            lost = before is not None and not before <= keys
            narrowed[pair] = narrowed.get(pair, False) or lost
    if changed:
        await session.execute(_KEEP_REACHES, {"reaches": orjson.dumps(changed).decode()})
        await _ask_for_new_keys(session, narrowed, at=at)


_KEEP_REACHES = text(
    """
    INSERT INTO offer_reaches (supplier_id, category, audience, audience_ids, keys)
    SELECT supplier_id, category, audience, audience_ids, keys
    FROM jsonb_to_recordset(CAST(:reaches AS jsonb))
        AS told (supplier_id uuid, category text, audience text, audience_ids uuid[], keys text[])
    ORDER BY supplier_id, category, audience, audience_ids
    ON CONFLICT (supplier_id, category, audience, audience_ids) DO UPDATE SET keys = excluded.keys
    """
)

_ASK = text(
    """
    INSERT INTO rekeyings (supplier_id, category, narrows, after_item, requested, requested_at)
    SELECT supplier_id, category, narrows, '', 1, :at
    FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS told (supplier_id uuid, category text, narrows boolean)
    ORDER BY supplier_id, category
    ON CONFLICT (supplier_id, category) DO UPDATE
    SET narrows = rekeyings.narrows OR excluded.narrows, after_item = '', requested = rekeyings.requested + 1,
        requested_at = excluded.requested_at
    """
)


async def _ask_for_new_keys(session: AsyncSession, narrowed: dict[Pair, bool], *, at: datetime) -> None:
    asked = [
        {"supplier_id": supplier_id, "category": category, "narrows": narrows}
        for (supplier_id, category), narrows in narrowed.items()
    ]
    await session.execute(_ASK, {"asked": orjson.dumps(asked).decode(), "at": at})


_KEEP_SPACE = text(
    """
    INSERT INTO known_spaces (group_id, category, stage, circle_id) VALUES (:group_id, :category, :stage, :circle_id)
    ON CONFLICT (group_id, category) DO UPDATE SET stage = excluded.stage, circle_id = excluded.circle_id
    """
)
_KEEP_CIRCLE = text(
    """
    INSERT INTO known_circles (id, group_ids) VALUES (:id, CAST(:group_ids AS uuid[]))
    ON CONFLICT (id) DO UPDATE SET group_ids = excluded.group_ids
    """
)
_KEEP_LINK = text(
    """
    INSERT INTO known_links (id, child_id, parent_id, valid_from, valid_until)
    VALUES (:link_id, :child_id, :parent_id, :valid_from, :valid_until)
    ON CONFLICT (id) DO UPDATE SET valid_from = excluded.valid_from, valid_until = excluded.valid_until
    """
)


async def stages_told(session: AsyncSession, *, told: Sequence[StageChanged], at: datetime) -> None:
    """Groups opened or closed categories."""
    await queries.lock_spaces(session)
    for each in told:
        await session.execute(
            _KEEP_SPACE,
            {
                "group_id": each.group_id,
                "category": each.category,
                "stage": each.stage,
                "circle_id": each.circle_id,
            },
        )
    spaces = {(each.group_id, each.category) for each in told}
    await reach_again(session, pairs=await queries.pairs_in_spaces(session, spaces=spaces), at=at)


async def circles_told(session: AsyncSession, *, told: Sequence[CircleChanged], at: datetime) -> None:
    """Groups entered or left circles."""
    await queries.lock_spaces(session)
    for each in told:
        members = sorted(str(group_id) for group_id in each.member_ids)
        await session.execute(_KEEP_CIRCLE, {"id": each.circle_id, "group_ids": members})
    spaces = await queries.spaces_open_to(session, circle_ids={each.circle_id for each in told})
    await reach_again(session, pairs=await queries.pairs_in_spaces(session, spaces=spaces), at=at)


async def links_told(session: AsyncSession, *, told: Sequence[CompanyLinked], at: datetime) -> None:
    """Companies came to stand under others, or no longer do."""
    await queries.lock_spaces(session)
    for each in told:
        await session.execute(_KEEP_LINK, each.model_dump(exclude={"kind"}))
    await settle_groups(session, at=at)


async def settle_groups(session: AsyncSession, *, at: datetime) -> None:
    """Put each admission into the space of the group its company belongs to today: links begin and end by date."""
    await queries.lock_spaces(session)
    await reach_again(session, pairs=await queries.move_to_tops(session, on=business_date(at)), at=at)
