"""Appeals: the listed supplier says why an entry is wrong, another person than the lister answers for the owner."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.blacklists import actions, queries, recording
from services.suppliers.blacklists.actions import EntryNotFound, EntryOver
from services.suppliers.blacklists.rules import AppealStatus, EntryStatus
from services.suppliers.blacklists.tables import BlacklistAppeal, BlacklistEntry
from services.suppliers.onboarding import queries as supplier_queries
from shared.contracts.blacklists import BLACKLIST_APPEALED, BlacklistAppealed
from shared.errors import Conflict, Forbidden
from shared.feed import publish
from shared.identity import Principal
from shared.ids import new_id


class NotASupplier(Conflict):
    """Your company is not registered as a supplier here, so nothing is listed about it by its record."""


class AppealOpen(Conflict):
    """Your company's appeal against this entry waits for its answer already."""


class NoOpenAppeal(Conflict):
    """There is no such appeal, or it was answered already."""


class AnotherPersonAnswers(Forbidden):
    """Who put the entry on the list, or filed the appeal for the supplier, does not answer it."""


async def about_us(session: AsyncSession, *, supplier_id: UUID) -> list[BlacklistEntry]:
    """Everything that stands on any list about the supplier.

    Raises:
        NotASupplier: see the class.
    """
    supplier = await supplier_queries.supplier(session, supplier_id=supplier_id)
    if supplier is None:
        raise NotASupplier("Your company is not registered as a supplier.")
    return list(await queries.entries_about(session, supplier=supplier))


async def appeal(
    session: AsyncSession, *, entry_id: UUID, text: str, evidence: str | None, by: Principal, at: datetime
) -> BlacklistAppeal:
    """Say why an entry about oneself is wrong; it stands until it is answered.

    Raises:
        NotASupplier, EntryNotFound, EntryOver, AppealOpen.
    """
    entry = next((each for each in await about_us(session, supplier_id=by.company) if each.id == entry_id), None)
    if entry is None:
        raise EntryNotFound(f"There is no entry {entry_id} about your company.")
    if entry.status != EntryStatus.ACTIVE:
        raise EntryOver(f"The entry is {entry.status}.")
    await queries.one_at_a_time(session, "appeal", entry.id, by.company)
    own = (await queries.appeals(session, entries=[entry]))[entry.id]
    if any(each.status == AppealStatus.OPEN and each.supplier_id == by.company for each in own):
        raise AppealOpen("Your appeal waits for its answer.")
    made = BlacklistAppeal(
        owner_id=entry.owner_id,
        entry_id=entry.id,
        id=new_id(),
        supplier_id=by.company,
        text=text,
        evidence=evidence,
        listed_by=entry.listed_by,
        filed_by=by.subject,
        filed_at=at,
    )
    session.add(made)
    await session.flush()
    await publish(
        session,
        type=BLACKLIST_APPEALED,
        subject=str(entry.id),
        data=BlacklistAppealed(
            entry_id=entry.id,
            appeal_id=made.id,
            owner_group_id=None if entry.official else entry.owner_id,
            supplier_id=by.company,
        ),
        at=at,
        company_id=by.company,
    )
    return made


async def answer(
    session: AsyncSession,
    *,
    entry: BlacklistEntry,
    appeal_id: UUID,
    grant: bool,
    text: str,
    by: Principal,
    at: datetime,
) -> BlacklistAppeal:
    """Answer an appeal against a locked entry. To grant it lifts the entry: this person is the second one.

    Raises:
        NoOpenAppeal, AnotherPersonAnswers.
    """
    found = await queries.open_appeal(session, entry=entry, appeal_id=appeal_id)
    if found is None:
        raise NoOpenAppeal(f"There is no open appeal {appeal_id} against this entry.")
    if by.subject in {entry.listed_by, found.filed_by}:
        raise AnotherPersonAnswers("You put this entry on the list, or filed the appeal; another person answers it.")
    found.status = AppealStatus.GRANTED if grant else AppealStatus.DECLINED
    found.answer, found.answered_by, found.answered_at = text, by.subject, at
    detail = {
        "appeal_id": str(found.id),
        "supplier_id": str(found.supplier_id),
        "filed_by": str(found.filed_by),
        "filed_at": found.filed_at.isoformat(),
        "text": found.text,
        "evidence": found.evidence,
        "answer": text,
    }
    if grant:
        await actions.lift(
            session, entry=entry, asked_by=entry.listed_by, what="appeal granted", detail=detail, by=by, at=at
        )
    else:
        entry.version += 1
        await recording.recorded(session, entry, what="appeal declined", by=by, detail=detail, at=at)
    return found
