"""Reading blacklists: the owner its own, a supplier what is about itself, others the reduced form."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col, or_, select

from services.suppliers.blacklists.rules import AppealStatus, EntryStatus, Level, ProposalStatus, ReasonClass, Terms
from services.suppliers.blacklists.tables import (
    BlacklistAppeal,
    BlacklistEntry,
    BlacklistHistory,
    BlacklistNotice,
    BlacklistProposal,
)
from services.suppliers.onboarding.tables import Supplier
from shared.arrays import array


@dataclass(frozen=True, kw_only=True, slots=True)
class ActiveEntry:
    """What a list in memory holds of an entry."""

    owner_id: UUID
    source: str | None
    supplier_id: UUID | None
    tax_id: str | None
    representative_hash: bytes | None
    reason_class: ReasonClass
    terms: Terms
    one_company: frozenset[UUID] = frozenset()
    """The records that standing merges say are one company with whom the entry names, if there are any."""


_ACTIVE = """
    WITH merged AS (
        SELECT s.company_id, s.tax_id, s.representative_hash, one_company(ARRAY[s.company_id]) AS records
        FROM suppliers s JOIN (
            SELECT survivor_id AS id FROM supplier_merges WHERE state = 'EFFECTIVE'
            UNION SELECT vanishing_id FROM supplier_merges WHERE state = 'EFFECTIVE'
        ) m ON m.id = s.company_id
    )
    SELECT owner_id, source, supplier_id, tax_id, representative_hash, reason_class, level, categories, regions,
        project_ids, starts_on, expires_on, ARRAY(
            SELECT DISTINCT unnest(m.records) FROM merged m WHERE m.company_id = e.supplier_id
                OR m.tax_id = e.tax_id OR m.representative_hash = e.representative_hash
        ) AS one_company
    FROM blacklist_entries e WHERE owner_id = ANY (CAST(:owners AS uuid[])) AND status = 'ACTIVE'
"""
_ABOUT = """
    AND EXISTS (
        SELECT FROM suppliers s WHERE s.company_id = ANY (one_company(CAST(:suppliers AS uuid[]))) AND (
            s.company_id = e.supplier_id OR s.tax_id = e.tax_id OR s.representative_hash = e.representative_hash
        )
    )
"""


async def active_entries(
    connection: AsyncConnection | AsyncSession,
    *,
    owner_ids: Iterable[UUID],
    supplier_ids: Iterable[UUID] | None = None,
) -> Sequence[ActiveEntry]:
    """Every entry of these owners that was neither lifted nor found expired: about these suppliers, or whoever."""
    values = {"owners": array(map(str, owner_ids))}
    if supplier_ids is None:
        rows = await connection.execute(text(_ACTIVE), values)
    else:
        values["suppliers"] = array(map(str, supplier_ids))
        rows = await connection.execute(text(_ACTIVE + _ABOUT), values)
    return [
        ActiveEntry(
            owner_id=row.owner_id,
            source=row.source,
            supplier_id=row.supplier_id,
            tax_id=row.tax_id,
            representative_hash=None if row.representative_hash is None else bytes(row.representative_hash),
            reason_class=ReasonClass(row.reason_class),
            terms=Terms(
                level=Level(row.level),
                starts_on=row.starts_on,
                expires_on=row.expires_on,
                categories=frozenset(row.categories),
                regions=frozenset(row.regions),
                project_ids=frozenset(row.project_ids),
            ),
            one_company=frozenset(row.one_company),
        )
        for row in rows
    ]


async def one_at_a_time(session: AsyncSession, *what: object) -> None:
    """Wait until nobody else does the same: who then looks sees what the one before has written."""
    name = "blacklist/" + "/".join(str(part) for part in what)
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


async def entry(
    session: AsyncSession, *, owner_ids: Sequence[UUID], entry_id: UUID, lock: bool = False
) -> BlacklistEntry | None:
    """An entry of one of these owners; `lock` holds it until the transaction ends."""
    query = select(BlacklistEntry).where(
        col(BlacklistEntry.owner_id).in_(owner_ids), col(BlacklistEntry.id) == entry_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one_or_none()


async def entries_page(
    session: AsyncSession,
    *,
    owner_ids: Sequence[UUID],
    tax_id: str | None,
    status: EntryStatus | None,
    after: tuple[UUID] | None,
    limit: int,
) -> Sequence[BlacklistEntry]:
    """An owner's entries, newest first."""
    query = select(BlacklistEntry).where(col(BlacklistEntry.owner_id).in_(owner_ids))
    if tax_id is not None:
        query = query.where(col(BlacklistEntry.tax_id) == tax_id)
    if status is not None:
        query = query.where(col(BlacklistEntry.status) == status)
    if after is not None:
        query = query.where(col(BlacklistEntry.id) < after[0])
    return (await session.scalars(query.order_by(col(BlacklistEntry.id).desc()).limit(limit))).all()


async def entries_about(
    session: AsyncSession, *, supplier: Supplier, entry_id: UUID | None = None
) -> Sequence[BlacklistEntry]:
    """What stands on any list about a company, any of its records or their legal representatives, newest first."""
    records = (
        await session.execute(
            text(
                "SELECT company_id, tax_id, representative_hash FROM suppliers "
                "WHERE company_id = ANY (one_company(ARRAY[CAST(:id AS uuid)]))"
            ),
            {"id": supplier.company_id},
        )
    ).all()
    representatives = [row.representative_hash for row in records if row.representative_hash is not None]
    query = select(BlacklistEntry).where(
        col(BlacklistEntry.supplier_id).in_([row.company_id for row in records])
        | col(BlacklistEntry.tax_id).in_([row.tax_id for row in records])
        | col(BlacklistEntry.representative_hash).in_(representatives)
    )
    if entry_id is not None:
        query = query.where(col(BlacklistEntry.id) == entry_id)
    return (await session.scalars(query.order_by(col(BlacklistEntry.id).desc()))).all()


async def entries_naming(session: AsyncSession, *, supplier_ids: Collection[UUID]) -> Sequence[BlacklistEntry]:
    """Active entries about any record of these companies or its legal representative, oldest first."""
    named = (
        select(Supplier.company_id)
        .where(
            text("suppliers.company_id = ANY (one_company(CAST(:records AS uuid[])))"),
            (col(Supplier.company_id) == col(BlacklistEntry.supplier_id))
            | (col(Supplier.tax_id) == col(BlacklistEntry.tax_id))
            | (col(Supplier.representative_hash) == col(BlacklistEntry.representative_hash)),
        )
        .exists()
    )
    query = select(BlacklistEntry).where(col(BlacklistEntry.status) == EntryStatus.ACTIVE, named)
    query = query.order_by(col(BlacklistEntry.id)).params(records=array(map(str, supplier_ids)))
    return (await session.scalars(query)).all()


async def suppliers_hit(session: AsyncSession, *, entry: BlacklistEntry) -> Sequence[UUID]:
    """The registered suppliers an entry is about, by id; each record of a company that was merged counts."""
    named = [
        column == value
        for column, value in (
            (col(Supplier.company_id), entry.supplier_id),
            (col(Supplier.tax_id), entry.tax_id),
            (col(Supplier.representative_hash), entry.representative_hash),
        )
        if value is not None  # compared with None, everybody without one would be hit
    ]
    found = (await session.scalars(select(Supplier.company_id).where(or_(*named)))).all()
    records = await session.scalars(
        text("SELECT id FROM unnest(one_company(CAST(:ids AS uuid[]))) AS id ORDER BY id"),
        {"ids": array(map(str, found))},
    )
    return records.all()


async def subjects_stay(session: AsyncSession) -> None:
    """Let nobody change whom entries are about until this transaction ends: it tells whom one is about."""
    await session.execute(text("SELECT pg_advisory_xact_lock_shared(hashtextextended('blacklist/subjects', 0))"))


async def subjects_change(session: AsyncSession) -> None:
    """Wait for the entries others are writing, and let none be written until this transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('blacklist/subjects', 0))"))


async def types_of(session: AsyncSession, *, categories: Iterable[str]) -> Sequence[str]:
    """The component types of these categories that anything was ever listed of here; nothing else was ordered."""
    rows = await session.execute(
        text("SELECT DISTINCT type_code FROM known_variants WHERE category = ANY (:categories) ORDER BY type_code"),
        {"categories": sorted(categories)},
    )
    return rows.scalars().all()


async def supplier_of_tax_id(session: AsyncSession, *, tax_id: str) -> Supplier | None:
    """The supplier registered under a number."""
    return (await session.scalars(select(Supplier).where(col(Supplier.tax_id) == tax_id).limit(1))).one_or_none()


async def open_proposal(session: AsyncSession, *, entry: BlacklistEntry) -> BlacklistProposal | None:
    """The wish about an entry that nobody has decided yet."""
    found = await session.scalars(
        select(BlacklistProposal).where(
            col(BlacklistProposal.owner_id) == entry.owner_id,
            col(BlacklistProposal.entry_id) == entry.id,
            col(BlacklistProposal.status) == ProposalStatus.PROPOSED,
        )
    )
    return found.one_or_none()


async def appeals(session: AsyncSession, *, entries: Sequence[BlacklistEntry]) -> Mapping[UUID, list[BlacklistAppeal]]:
    """Appeals against entries, as far as the caller's company may see them, oldest first."""
    found = await session.scalars(
        select(BlacklistAppeal)
        .where(
            col(BlacklistAppeal.owner_id).in_({each.owner_id for each in entries}),
            col(BlacklistAppeal.entry_id).in_([each.id for each in entries]),
        )
        .order_by(col(BlacklistAppeal.id))
    )
    by_entry: dict[UUID, list[BlacklistAppeal]] = {each.id: [] for each in entries}
    for appeal in found:
        by_entry[appeal.entry_id].append(appeal)
    return by_entry


async def open_appeal(session: AsyncSession, *, entry: BlacklistEntry, appeal_id: UUID) -> BlacklistAppeal | None:
    """An appeal against a locked entry that still waits for its answer."""
    found = await session.scalars(
        select(BlacklistAppeal).where(
            col(BlacklistAppeal.owner_id) == entry.owner_id,
            col(BlacklistAppeal.entry_id) == entry.id,
            col(BlacklistAppeal.id) == appeal_id,
            col(BlacklistAppeal.status) == AppealStatus.OPEN,
        )
    )
    return found.one_or_none()


async def history(session: AsyncSession, *, entry: BlacklistEntry) -> Sequence[BlacklistHistory]:
    """The history of an entry, first to last."""
    found = await session.scalars(
        select(BlacklistHistory)
        .where(col(BlacklistHistory.owner_id) == entry.owner_id, col(BlacklistHistory.entry_id) == entry.id)
        .order_by(col(BlacklistHistory.seq))
    )
    return found.all()


async def notices_page(
    session: AsyncSession, *, viewer: frozenset[str], tax_id: str | None, after: tuple[UUID] | None, limit: int
) -> Sequence[BlacklistNotice]:
    """Reduced entries whose audience the viewer belongs to, newest first."""
    keys = sorted(viewer)
    await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": ",".join(keys)})
    query = select(BlacklistNotice).where(text("blacklist_notices.audience_keys && CAST(:keys AS text[])"))
    if tax_id is not None:
        query = query.where(col(BlacklistNotice.tax_id) == tax_id)
    if after is not None:
        query = query.where(col(BlacklistNotice.entry_id) < after[0])
    query = query.order_by(col(BlacklistNotice.entry_id).desc()).limit(limit)
    return (await session.scalars(query.params(keys=keys))).all()


async def expired_skip_locked(session: AsyncSession, *, today: date, limit: int) -> Sequence[BlacklistEntry]:
    """Active entries whose last day has passed, locked owner by owner: who changes several lists does it in this
    order."""
    found = await session.scalars(
        select(BlacklistEntry)
        .where(col(BlacklistEntry.status) == EntryStatus.ACTIVE, col(BlacklistEntry.expires_on) < today)
        .order_by(col(BlacklistEntry.owner_id), col(BlacklistEntry.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()
