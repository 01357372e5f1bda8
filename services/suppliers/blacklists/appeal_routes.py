"""Blacklists over HTTP, for those who are on one, and the owner's answers to them."""

from uuid import UUID

from fastapi import Response

from services.suppliers.blacklists import actions, appealing, queries
from services.suppliers.blacklists.actions import EntryNotFound, EntryOver
from services.suppliers.blacklists.appealing import AnotherPersonAnswers, AppealOpen, NoOpenAppeal, NotASupplier
from services.suppliers.blacklists.routes import OnlyTheHeadCompany, keeping
from services.suppliers.blacklists.schemas import AppealAnswered, AppealFiled, AppealView, EntryAboutUs, ListedEntry
from shared.database import ReadSession, WriteSession
from shared.errors import refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded
from shared.http import router as house_router
from shared.identity import ListKeeper, SupplierReader, SupplierSpeaker

router = house_router("/suppliers/blacklist", tag="blacklists")


@router.get("/about-us", summary="What stands on lists about your company", responses=refusals(NotASupplier))
async def about_us(caller: SupplierReader, session: ReadSession) -> list[EntryAboutUs]:
    """Every entry about your company or its legal representative, also ended ones: whose, why, on what evidence,
    until when, and where to appeal."""
    entries = await appealing.about_us(session, supplier_id=caller.company)
    appeals = await queries.appeals(session, entries=entries) if entries else {}
    return [
        EntryAboutUs(
            **ListedEntry.model_validate(entry).model_dump(),
            appeal_at=f"/suppliers/blacklist/entries/{entry.id}/appeals",
            appeals=[
                AppealView.model_validate(each) for each in appeals[entry.id] if each.supplier_id == caller.company
            ],
        )
        for entry in entries
    ]


@router.post(
    "/entries/{entry_id}/appeals",
    summary="Appeal against an entry about your company",
    status_code=201,
    responses=refusals(NotASupplier, EntryNotFound, EntryOver, AppealOpen),
)
async def appeal(
    *, entry_id: UUID, body: AppealFiled, caller: SupplierSpeaker, session: WriteSession, now: Now, response: Response
) -> AppealView:
    """The owner answers by another person than the one who listed you; until then the entry counts."""
    made = await appealing.appeal(session, entry_id=entry_id, text=body.text, evidence=body.evidence, by=caller, at=now)
    response.headers["Location"] = "/suppliers/blacklist/about-us"
    return AppealView.model_validate(made)


@router.post(
    "/entries/{entry_id}/appeals/{appeal_id}/answer",
    summary="Answer an appeal",
    responses=refusals(
        EntryNotFound, EntryOver, VersionChanged, VersionNeeded, NoOpenAppeal, AnotherPersonAnswers, OnlyTheHeadCompany
    ),
)
async def answer(
    *,
    entry_id: UUID,
    appeal_id: UUID,
    body: AppealAnswered,
    caller: ListKeeper,
    session: WriteSession,
    version: ExpectedVersion,
    now: Now,
) -> AppealView:
    """To grant it lifts the entry at once. Never by the person who put it on the list."""
    entry = await actions.opened(
        session, owner_ids=await keeping(session, caller), entry_id=entry_id, expected_version=version
    )
    answered = await appealing.answer(
        session,
        entry=entry,
        appeal_id=appeal_id,
        grant=body.decision == "grant",
        text=body.answer,
        by=caller,
        at=now,
    )
    return AppealView.model_validate(answered)
