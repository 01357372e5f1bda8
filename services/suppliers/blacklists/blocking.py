"""What stands against a supplier: asked for every line that is ordered, and before anybody is invited.

A process keeps the lists it was asked about; each is told apart by the number of its changes (`blacklist_versions`),
which is read with the offers in the same statement. So an entry counts from the moment it is committed, and what is
asked thousands of times a second is looked up in memory.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col, select

from services.suppliers.blacklists import queries, rules
from services.suppliers.blacklists.queries import ActiveEntry
from services.suppliers.blacklists.rules import OFFICIAL, Business, Level
from services.suppliers.onboarding.tables import Supplier


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A supplier by everything an entry may name it by."""

    supplier_id: UUID | None
    tax_id: str | None
    representative_hash: bytes | None


class Blacklist:
    """The active entries of one owner, found by whom they are about."""

    def __init__(self, entries: Iterable[ActiveEntry]) -> None:
        self._by_key: dict[object, list[ActiveEntry]] = {}
        for entry in entries:
            keys = {entry.supplier_id, entry.tax_id, entry.representative_hash, *entry.one_company} - {None}
            for key in keys:
                self._by_key.setdefault(key, []).append(entry)

    def about(self, subject: Subject) -> Iterable[ActiveEntry]:
        """The entries about a supplier, whatever they forbid."""
        for key in (subject.supplier_id, subject.tax_id, subject.representative_hash):
            if key is not None:
                yield from self._by_key.get(key, ())


def against_order(lists: Iterable[Blacklist], subject: Subject, business: Business) -> ActiveEntry | None:
    """The entry that forbids a new order; of several the one that lasts longest."""
    found = [
        entry
        for each in lists
        for entry in each.about(subject)
        if rules.at_least(entry.terms.level, Level.NO_NEW_ORDER) and rules.concerns(entry.terms, business)
    ]
    return max(found, key=lambda entry: entry.terms.expires_on, default=None)


def told(entry: ActiveEntry) -> str:
    """The sentence for the buyer: whose entry, its class and expiry, never its text."""
    owner = "your group's blacklist" if entry.owner_id != OFFICIAL else f"an official list ({entry.source})"
    return f"The supplier is on {owner}: {entry.reason_class}, until {entry.terms.expires_on}."


async def lists_of(
    connection: AsyncConnection | AsyncSession,
    *,
    owner_ids: Collection[UUID],
    supplier_ids: Collection[UUID] | None = None,
) -> dict[UUID, Blacklist]:
    """The lists of these owners, read now, whole or about some suppliers; an owner without entries has an empty one."""
    entries: dict[UUID, list[ActiveEntry]] = {owner_id: [] for owner_id in owner_ids}
    for entry in await queries.active_entries(connection, owner_ids=owner_ids, supplier_ids=supplier_ids):
        entries[entry.owner_id].append(entry)
    return {owner_id: Blacklist(own) for owner_id, own in entries.items()}


class ListsKept:
    """A process's memory of lists."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[int, Blacklist]] = {}

    async def of(self, connection: AsyncConnection, *, versions: Mapping[str, int]) -> dict[UUID, Blacklist]:
        """The lists in at least these versions, by owner; who is not among them has no list."""
        found: dict[UUID, Blacklist] = {}
        stale: dict[UUID, int] = {}
        for owner, version in versions.items():
            owner_id = UUID(owner)
            kept = self._kept.get(owner_id)
            if kept is not None and kept[0] == version:
                found[owner_id] = kept[1]
            else:
                stale[owner_id] = version
        if stale:
            # What is read now may be newer than the version asked for, never older; it is then read once more.
            read = await lists_of(connection, owner_ids=stale)
            self._kept |= {owner_id: (stale[owner_id], blacklist) for owner_id, blacklist in read.items()}
            found |= read
        return found


async def blocks_invitation(
    session: AsyncSession, *, group_id: UUID, tax_id: str, on: date, categories: Collection[str] = ()
) -> ActiveEntry | None:
    """The entry for which a group may not invite a company, registered or not; None if there is none.

    The session must see the group's rows (`scope_to`) or be the system's. Show others `told(entry)`, nothing else.
    """
    known = (await session.scalars(select(Supplier).where(col(Supplier.tax_id) == tax_id))).all()
    subjects = [Subject(supplier_id=None, tax_id=tax_id, representative_hash=None)]
    subjects += [
        Subject(supplier_id=each.company_id, tax_id=tax_id, representative_hash=each.representative_hash)
        for each in known
    ]
    lists = await lists_of(session, owner_ids={group_id, OFFICIAL})
    found = [
        entry
        for blacklist in lists.values()
        for subject in subjects
        for entry in blacklist.about(subject)
        if rules.forbids_invitation(entry.terms, on=on, categories=categories)
    ]
    return max(found, key=lambda entry: entry.terms.expires_on, default=None)
