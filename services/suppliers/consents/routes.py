"""Consents over HTTP, for the supplier that gives them; and the portable profile, for those they were given to."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.suppliers.consents import actions, queries
from services.suppliers.consents.actions import (
    ConsentDoesNotCover,
    ConsentEndPassed,
    ConsentExpired,
    ConsentForAnother,
    ConsentNotFound,
    ConsentOfAnotherSupplier,
    ConsentRevoked,
    NotASupplier,
)
from services.suppliers.consents.profile import profile_for
from services.suppliers.consents.schemas import (
    ConsentBody,
    ConsentEntry,
    ConsentHistoryView,
    ConsentView,
    PortableProfile,
    RevokeBody,
)
from services.suppliers.onboarding.actions import SupplierNotFound
from services.suppliers.onboarding.queries import supplier as supplier_by_id
from shared.audience import Audience
from shared.database import ReadSession, SystemSession, WriteSession
from shared.errors import refusals
from shared.history import first_broken
from shared.http import Now
from shared.http import router as house_router
from shared.identity import Buyer, Principal, Requires, Role, SupplierReader
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers", tag="consents")

SupplierGiver = Annotated[Principal, Depends(Requires(roles=[Role.SUPPLIER_SALES, Role.ADMIN]))]
"""People only: an ERP's key does not decide who reads the company's record."""

CONSENT_REFUSALS = (
    ConsentNotFound,
    ConsentOfAnotherSupplier,
    ConsentRevoked,
    ConsentExpired,
    ConsentForAnother,
    ConsentDoesNotCover,
)


@router.post(
    "/consents", status_code=201, summary="Record a consent", responses=refusals(NotASupplier, ConsentEndPassed)
)
async def record(*, body: ConsentBody, caller: SupplierGiver, session: WriteSession, now: Now) -> ConsentView:
    """What of your record a contractor group, a circle or every member may read, until which day. The stages of the
    contractors who admitted you may keep it narrower, never wider. Give its id to those who are to use it."""
    consent = await actions.record_consent(
        session,
        supplier_id=caller.company,
        what=body.what,
        audience=Audience(body.audience),
        to_id=body.to_id,
        until=body.until,
        by=caller,
        at=now,
    )
    return ConsentView.model_validate(consent)


@router.get("/consents", summary="Your consents", responses=refusals(CursorInvalid))
async def list_consents(
    *, caller: SupplierReader, session: ReadSession, paging: PageQuery, response: Response
) -> list[ConsentView]:
    """All you ever gave, oldest first."""
    after = paging.after_as(UUID)
    rows = await queries.consents_page(
        session, supplier_id=caller.company, after=after[0] if after else None, limit=paging.limit + 1
    )
    shown = paging.page(rows, response, key=lambda row: [row.id])
    return [ConsentView.model_validate(each) for each in shown]


@router.get("/consents/{consent_id}/history", summary="A consent's history", responses=refusals(ConsentNotFound))
async def read_history(*, consent_id: UUID, caller: SupplierReader, session: ReadSession) -> ConsentHistoryView:
    """When it was recorded, who read under it, when it was revoked; and whether the hash chain over it holds."""
    consent = await queries.own_consent(session, supplier_id=caller.company, consent_id=consent_id)
    if consent is None:
        raise ConsentNotFound("There is no such consent of yours.")
    entries = await queries.history(session, supplier_id=caller.company, consent_id=consent_id)
    intact = (
        actions.holds(consent, entries) and first_broken((each.entry, bytes(each.hash)) for each in entries) is None
    )
    return ConsentHistoryView(entries=[ConsentEntry.model_validate(each) for each in entries], intact=intact)


@router.post("/consents/{consent_id}/revocation", summary="Revoke a consent", responses=refusals(ConsentNotFound))
async def revoke(
    *, consent_id: UUID, body: RevokeBody, caller: SupplierGiver, session: WriteSession, now: Now
) -> ConsentView:
    """From now on nobody reads under it. What was read or relied on before stays as it is."""
    consent = await actions.revoke_consent(
        session, supplier_id=caller.company, consent_id=consent_id, reason=body.reason, by=caller, at=now
    )
    return ConsentView.model_validate(consent)


@router.get(
    "/{supplier_id}/portable-profile",
    summary="A supplier's record, by its consent",
    responses=refusals(SupplierNotFound, *CONSENT_REFUSALS),
)
async def portable_profile(
    *, supplier_id: UUID, caller: Buyer, session: SystemSession, now: Now, consent_id: UUID | None = None
) -> PortableProfile:
    """What your group may read of a supplier: all of its own decisions; with a consent what that covers, as far as the
    stages of the other contractors' spaces open it, in full or in reduced form ("recognised from A, on that day").
    The supplier sees in the consent's history that you read it."""
    supplier = await supplier_by_id(session, supplier_id=supplier_id)
    if supplier is None:
        raise SupplierNotFound(f"No supplier has the id {supplier_id}.")
    consent = None
    if consent_id is not None:
        consent = await actions.consent_to_use(
            session, consent_id=consent_id, supplier_id=supplier_id, viewer=caller.viewer_keys, at=now
        )
        await session.refresh(consent, with_for_update=True)
        await actions.chronicle(session, consent, event="read", by=caller, at=now)
    return await profile_for(
        session,
        supplier=supplier,
        viewer=caller.viewer_keys,
        consent=None if consent is None else consent.given,
        consent_id=consent_id,
    )
