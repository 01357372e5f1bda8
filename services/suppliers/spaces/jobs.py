"""New keys for the offers whose reach changed, batch by batch, those first that are seen by fewer now.

Nothing depends on how fast this is: who shows or reserves an offer asks its reach as well. It makes the search index
follow, and what was opened visible.
"""

from datetime import datetime

from sqlalchemy import text

from services.suppliers.imports.applying import OFFER_STATE
from services.suppliers.spaces.actions import settle_groups
from services.suppliers.spaces.queries import OPEN_NOW
from shared.contracts.suppliers import EVENT_ROWS_AT_MOST, OFFERS_CHANGED
from shared.database import Database, transaction

_BATCH = 5_000
"""Items in one transaction: a longer one would hold back the followers of this service's feed."""

_NEXT = text(
    """
    SELECT supplier_id, category, after_item, requested FROM rekeyings
    ORDER BY narrows DESC, requested_at LIMIT 1
    FOR UPDATE SKIP LOCKED
    """
)

_REKEY = text(
    f"""
    WITH named AS MATERIALIZED (
        SELECT item_no FROM items
        WHERE supplier_id = :supplier_id AND item_no > :after AND category = :category
        ORDER BY item_no LIMIT :limit
    ), looked_at AS MATERIALIZED (
        SELECT o.id, o.audience, o.audience_ids, {OPEN_NOW} AS keys
        FROM named n
        JOIN offers o ON o.supplier_id = :supplier_id AND o.item_no = n.item_no
        LEFT JOIN offer_reaches r ON r.supplier_id = o.supplier_id AND r.category = :category
            AND r.audience = o.audience AND r.audience_ids = o.audience_ids
        WHERE o.audience_keys <> {OPEN_NOW}
    ), changed AS (
        UPDATE offers o SET audience_keys = l.keys
        FROM looked_at l
        WHERE o.supplier_id = :supplier_id AND o.id = l.id
          AND o.audience = l.audience AND o.audience_ids = l.audience_ids
        RETURNING o.*
    ), numbered AS (
        SELECT {OFFER_STATE} AS state, (row_number() OVER () - 1) / {EVENT_ROWS_AT_MOST} AS batch
        FROM changed o JOIN items i ON i.supplier_id = o.supplier_id AND i.item_no = o.item_no
    ), events_written AS (
        INSERT INTO events (id, type, subject, company_id, time, data)
        SELECT uuidv7(), '{OFFERS_CHANGED}', CAST(:supplier_id AS text), :supplier_id, :at,
            jsonb_build_object('supplier_id', CAST(:supplier_id AS text), 'offers', jsonb_agg(state))
        FROM numbered GROUP BY batch ORDER BY batch
    )
    SELECT count(*) AS seen, max(item_no) AS last, (SELECT count(*) FROM changed) AS changed FROM named
    """
)
"""An offer whose audience its supplier changes at this moment is left alone: the supplier's own transaction gives it
the keys of its new audience."""

_ON = text(
    "UPDATE rekeyings SET after_item = :last "
    "WHERE supplier_id = :supplier_id AND category = :category AND requested = :requested"
)
_DONE = text(
    "DELETE FROM rekeyings WHERE supplier_id = :supplier_id AND category = :category AND requested = :requested"
)


async def rekey_offers(database: Database, *, at: datetime, batch: int = _BATCH) -> int:
    """Give offers the keys of their reach until none is left to do; how many were changed.

    Several workers may do it at once: each takes what the others leave.
    """
    changed = 0
    while True:
        async with transaction(database.system) as session:
            work = (await session.execute(_NEXT)).one_or_none()
            if work is None:
                return changed
            pair = {"supplier_id": work.supplier_id, "category": work.category}
            done = (await session.execute(_REKEY, {**pair, "after": work.after_item, "limit": batch, "at": at})).one()
            changed += done.changed
            if done.seen < batch:
                await session.execute(_DONE, {**pair, "requested": work.requested})
            else:
                await session.execute(_ON, {**pair, "requested": work.requested, "last": done.last})


async def follow_groups(database: Database, *, at: datetime) -> None:
    """Links between companies begin and end by date: let admissions stand in the space of today's group."""
    async with transaction(database.system) as session:
        await settle_groups(session, at=at)
