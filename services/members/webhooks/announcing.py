"""From events to deliveries: one for each fact and endpoint of a company it concerns, in the follower's transaction.

So a fact is announced exactly once: the place in the feed and the deliveries stand or fall together, and the
uniqueness of (endpoint, event, subject) holds it also when an operator applies a parked event again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.members.webhooks.facts import COMPANY, Fact
from shared.contracts.suppliers import SupplierChanged
from shared.ids import new_id

# The ids are made on our side, one a fact and endpoint: an event that concerns many needs no sequence.
_ANNOUNCE = text(
    """
    WITH facts AS (
        SELECT * FROM unnest(
            CAST(:places AS integer[]), CAST(:event_ids AS uuid[]), CAST(:types AS text[]),
            CAST(:occurred AS timestamptz[]), CAST(:subjects AS text[]), CAST(:paths AS text[]),
            CAST(:told AS text[]), CAST(:categories AS text[]), CAST(:everybody AS boolean[])
        ) AS f (place, event_id, type, occurred_at, subject_id, path, told, category, everybody)
    ), concerned AS (
        SELECT place, company_id
        FROM unnest(CAST(:party_places AS integer[]), CAST(:party_ids AS uuid[])) AS p (place, company_id)
        UNION
        SELECT c.place, s.group_id
        FROM unnest(CAST(:circle_places AS integer[]), CAST(:circle_ids AS uuid[])) AS c (place, circle_id)
        JOIN facts f ON f.place = c.place
        JOIN circle_standings s ON s.circle_id = c.circle_id AND s.valid_from <= f.occurred_at
            AND (s.valid_until IS NULL OR s.valid_until >= f.occurred_at)
        UNION
        SELECT f.place, q.company_id
        FROM facts f JOIN qualified_suppliers q ON q.categories @> ARRAY[f.category]
        WHERE f.category IS NOT NULL
        UNION
        SELECT f.place, c.id FROM facts f JOIN companies c ON c.status = 'ACTIVE' WHERE f.everybody
    )
    SELECT e.company_id, e.id AS endpoint_id, f.*
    FROM facts f
    JOIN concerned c ON c.place = f.place
    JOIN webhook_endpoints e
        ON e.company_id = c.company_id AND f.type = ANY (e.event_types) AND e.created_at <= f.occurred_at
    ORDER BY f.place, e.company_id, e.id
    """
)

_ADD = text(
    """
    INSERT INTO webhook_deliveries (
        company_id, id, endpoint_id, event_id, type, subject_id, path, told, occurred_at, created_at, status,
        attempts, tries, next_attempt_at
    )
    SELECT d.company_id, d.id, d.endpoint_id, d.event_id, d.type, d.subject_id, d.path, CAST(d.told AS jsonb),
        d.occurred_at, :at, CASE e.status WHEN 'ENABLED' THEN 'PENDING' ELSE 'HELD' END, 0, 0,
        CASE e.status WHEN 'ENABLED' THEN CAST(:at AS timestamptz) END
    FROM unnest(
        CAST(:companies AS uuid[]), CAST(:ids AS uuid[]), CAST(:endpoints AS uuid[]), CAST(:event_ids AS uuid[]),
        CAST(:types AS text[]), CAST(:subjects AS text[]), CAST(:paths AS text[]), CAST(:told AS text[]),
        CAST(:occurred AS timestamptz[])
    ) AS d (company_id, id, endpoint_id, event_id, type, subject_id, path, told, occurred_at)
    JOIN webhook_endpoints e ON e.company_id = d.company_id AND e.id = d.endpoint_id
    ORDER BY d.company_id, d.id
    ON CONFLICT (company_id, endpoint_id, event_id, subject_id) DO NOTHING
    RETURNING 1
    """
)


async def announce(session: AsyncSession, *, facts: Sequence[Fact], at: datetime) -> int:
    """Make the deliveries; how many. What happened before an endpoint was registered is not told to it."""
    if not facts:
        return 0
    parties = [(place, party) for place, fact in enumerate(facts) for party in fact.parties]
    circles = [(place, circle) for place, fact in enumerate(facts) for circle in fact.circles]
    found = await session.execute(
        _ANNOUNCE,
        {
            "places": list(range(len(facts))),
            "event_ids": [fact.event_id for fact in facts],
            "types": [fact.type.value for fact in facts],
            "occurred": [fact.occurred_at for fact in facts],
            "subjects": [fact.subject_id for fact in facts],
            "paths": [fact.path for fact in facts],
            "told": [orjson.dumps(dict(fact.told)).decode() for fact in facts],
            "categories": [fact.suppliers_of for fact in facts],
            "everybody": [fact.everybody for fact in facts],
            "party_places": [place for place, _ in parties],
            "party_ids": [party for _, party in parties],
            "circle_places": [place for place, _ in circles],
            "circle_ids": [circle for _, circle in circles],
        },
    )
    rows = found.all()
    if not rows:
        return 0
    added = await session.execute(
        _ADD,
        {
            "companies": [row.company_id for row in rows],
            "ids": [new_id() for _ in rows],
            "endpoints": [row.endpoint_id for row in rows],
            "event_ids": [row.event_id for row in rows],
            "types": [row.type for row in rows],
            "subjects": [row.subject_id for row in rows],
            "paths": [row.path.replace(COMPANY, str(row.company_id)) for row in rows],
            "told": [row.told for row in rows],
            "occurred": [row.occurred_at for row in rows],
            "at": at,
        },
    )
    return len(added.all())


async def keep_qualifications(session: AsyncSession, *, told: Iterable[SupplierChanged]) -> None:
    """Whom a stage of a category concerns: its qualified suppliers, as they stand now."""
    for supplier in told:
        categories = sorted(supplier.categories) if supplier.status == "QUALIFIED" else []
        await session.execute(
            text(
                "INSERT INTO qualified_suppliers (company_id, categories) VALUES (:id, CAST(:categories AS text[])) "
                "ON CONFLICT (company_id) DO UPDATE SET categories = excluded.categories"
            ),
            {"id": supplier.supplier_id, "categories": categories},
        )
