"""Live counts over the suppliers that a contractor group admitted. Needs a system session."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.measurements.rules import Moved
from services.suppliers.spaces.queries import as_space
from services.suppliers.spaces.rules import offer_keys
from shared.arrays import array
from shared.audience import Audience, Space


async def active_suppliers(session: AsyncSession, *, group_id: UUID, category: str) -> Sequence[Any]:
    """Those the group admitted for a category and that are qualified: id and tax id."""
    rows = await session.execute(
        text(
            "SELECT DISTINCT s.company_id AS id, s.tax_id "
            "FROM suppliers s JOIN admissions a ON a.supplier_id = s.company_id "
            "WHERE a.space_group_id = :group_id AND a.category = :category AND a.status = 'ADMITTED' "
            "AND s.status = 'QUALIFIED'"
        ),
        {"group_id": group_id, "category": category},
    )
    return rows.all()


async def lapsed_qualifications(session: AsyncSession, *, supplier_ids: Sequence[UUID], on: date) -> set[UUID]:
    """Those of the suppliers whose qualification's last day has passed."""
    found = await session.scalars(
        text(
            "SELECT company_id FROM suppliers "
            "WHERE company_id = ANY (CAST(:suppliers AS uuid[])) AND qualified_until < :on"
        ),
        {"suppliers": array(map(str, supplier_ids)), "on": on},
    )
    return set(found)


_SPACES = text(
    """
    SELECT s.* FROM supplier_spaces s
    WHERE s.category = :category AND EXISTS (
        SELECT FROM supplier_spaces g
        WHERE g.supplier_id = s.supplier_id AND g.category = s.category AND g.group_id = :group_id
    )
    """
)
_OFFERS = text(
    """
    SELECT o.supplier_id, o.audience, o.audience_ids, count(*) AS offers
    FROM supplier_spaces g
    JOIN items i ON i.supplier_id = g.supplier_id AND i.category = g.category
    JOIN offers o ON o.supplier_id = i.supplier_id AND o.item_no = i.item_no
    WHERE g.group_id = :group_id AND g.category = :category AND o.status = 'ACTIVE'
    GROUP BY o.supplier_id, o.audience, o.audience_ids
    """
)


async def moved_by(session: AsyncSession, *, category: str, space: Space) -> list[Moved]:
    """The offers of the suppliers in a group's space, with their keys now and if the space were as given."""
    named = {"group_id": space.group_id, "category": category}
    now: dict[UUID, list[Space]] = defaultdict(list)
    then: dict[UUID, list[Space]] = defaultdict(list)
    for row in await session.execute(_SPACES, named):
        known = as_space(row)
        now[row.supplier_id].append(known)
        then[row.supplier_id].append(space if known.group_id == space.group_id else known)
    return [
        Moved(
            supplier_id=row.supplier_id,
            offers=row.offers,
            before=_keys(row, now[row.supplier_id]),
            after=_keys(row, then[row.supplier_id]),
        )
        for row in await session.execute(_OFFERS, named)
    ]


def _keys(row: Any, spaces: Sequence[Space]) -> frozenset[str]:
    return offer_keys(Audience(row.audience), row.audience_ids, owner=row.supplier_id, spaces=spaces)


_FIRST_ORDERS = text(
    """
    WITH RECURSIVE above AS (
        SELECT DISTINCT buyer_id AS company_id, buyer_id AS top, 0 AS height FROM reservations WHERE state = 'CONSUMED'
        UNION ALL
        SELECT a.company_id, l.parent_id, a.height + 1
        FROM above a JOIN known_links l ON l.child_id = a.top AND l.valid_from <= :today
            AND (l.valid_until IS NULL OR l.valid_until > :today)
        WHERE a.height < 12
    ), groups AS (
        SELECT DISTINCT ON (company_id) company_id, top AS group_id FROM above ORDER BY company_id, height DESC
    ), ordered AS (
        SELECT DISTINCT g.group_id, l.supplier_id, i.category, r.created_at AS at
        FROM reservations r
        JOIN groups g ON g.company_id = r.buyer_id
        JOIN reservation_lines l ON l.reservation_id = r.id
        JOIN items i ON i.supplier_id = l.supplier_id AND i.item_no = l.item_no
        WHERE r.state = 'CONSUMED' AND (CAST(:group_id AS uuid) IS NULL OR g.group_id = :group_id)
    ), standing AS (
        SELECT *, lead(created_at) OVER (
            PARTITION BY space_group_id, supplier_id, category ORDER BY created_at, id
        ) AS followed_at
        FROM admissions WHERE CAST(:group_id AS uuid) IS NULL OR space_group_id = :group_id
    ), firsts AS (
        SELECT a.id, a.category, a.created_at, min(o.at) AS first_at
        FROM standing a JOIN ordered o
            ON o.group_id = a.space_group_id AND o.supplier_id = a.supplier_id AND o.category = a.category
            AND o.at >= a.created_at AND (a.followed_at IS NULL OR o.at < a.followed_at)
        GROUP BY a.id, a.category, a.created_at
    )
    SELECT to_char(first_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month, category,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_at - created_at)) AS seconds,
        count(*) AS admissions
    FROM firsts WHERE first_at >= CAST(:today AS date) - interval '1 year'
    GROUP BY GROUPING SETS ((month, category), (month))
    """
)
FirstOrders = dict[tuple[str, str | None], tuple[Decimal, int]]
"""By month of the first order and category (None: all): the median seconds since the admission, and how many."""


async def first_orders_by_month(session: AsyncSession, *, group_id: UUID | None, today: date) -> FirstOrders:
    """How long the first orders of the last twelve months came after their admissions, of one group's space or of all.

    An order is what took a reservation, at the moment its goods were held; it counts for the admission that stood
    last then. An admission that nothing was ordered under yet is not in it: it has no day to count.
    """
    rows = await session.execute(_FIRST_ORDERS, {"group_id": group_id, "today": today})
    return {(row.month, row.category): (Decimal(str(row.seconds)), row.admissions) for row in rows}


Reuse = dict[tuple[str, str | None], tuple[int, int]]
"""By month and category (None: all): admissions that rely on a recognised decision, and all admissions."""


async def admissions_by_month(session: AsyncSession, *, group_id: UUID | None, today: date) -> Reuse:
    """Admissions of the last twelve months, of one group's space or of all."""
    rows = await session.execute(
        text(
            "SELECT to_char(created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month, category, "
            "count(relies_on_id) AS recognised, count(*) AS admitted FROM admissions "
            "WHERE created_at >= CAST(:today AS date) - interval '1 year' "
            "AND (CAST(:group_id AS uuid) IS NULL OR space_group_id = :group_id) "
            "GROUP BY GROUPING SETS ((month, category), (month))"
        ),
        {"group_id": group_id, "today": today},
    )
    return {(row.month, row.category): (row.recognised, row.admitted) for row in rows}
