"""Who may see an entry in its reduced form (domain.md 3.2, T7): the one place that says so."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.blacklists.rules import OFFICIAL
from services.suppliers.blacklists.tables import BlacklistNotice
from services.suppliers.spaces.queries import spaces_of_group
from shared.audience import Audience, Meant, ObjectKind, Space, effective_keys


def notice_keys(*, owner_id: UUID, spaces: Collection[Space]) -> list[str]:
    """The keys of an entry's reduced form.

    An official entry is public. A group's entry may go as far as each of its categories allows: it tells of all of
    them at once. An entry for all categories stands in no one space and stays with the group.
    """
    if owner_id == OFFICIAL:
        space = Space(group_id=OFFICIAL)
        own = Meant(audience=Audience.PUBLIC)
        return sorted(effective_keys(ObjectKind.OFFICIAL_LIST_ENTRY, own=own, space=space, owner=owner_id))
    reached = [
        effective_keys(
            ObjectKind.BLACKLIST_ENTRY,
            own=Meant(audience=Audience.MEMBERS),
            space=space,
            owner=owner_id,
            reduced=True,
        )
        for space in spaces or [Space(group_id=owner_id)]
    ]
    return sorted(frozenset.intersection(*reached))


async def keys_of(session: AsyncSession, *, owner_id: UUID, categories: Collection[str]) -> list[str]:
    """The keys of a reduced entry as the stages stand now."""
    spaces = await spaces_of_group(session, group_id=owner_id, categories=categories)
    return notice_keys(owner_id=owner_id, spaces=list(spaces.values()))


async def rekey(session: AsyncSession, *, group_id: UUID, category: str) -> int:
    """Give a group's reduced entries new keys after the stage of a category changed; how many changed.

    The session must see the group's rows or be the system's.
    """
    found = await session.scalars(
        select(BlacklistNotice)
        .where(col(BlacklistNotice.owner_id) == group_id, col(BlacklistNotice.categories).contains([category]))
        .with_for_update()
    )
    changed = 0
    for notice in found:
        keys = await keys_of(session, owner_id=group_id, categories=notice.categories)
        changed += keys != notice.audience_keys
        notice.audience_keys = keys
    await session.flush()
    return changed
