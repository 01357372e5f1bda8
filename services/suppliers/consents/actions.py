"""Recording and revoking consents, and reading a supplier's record under one."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.consents import queries
from services.suppliers.consents.rules import Given, Shared
from services.suppliers.consents.tables import Consent, ConsentHistory
from services.suppliers.onboarding.queries import supplier_exists
from shared.audience import Audience
from shared.clock import business_date
from shared.contracts.suppliers import CONSENT_CHANGED, ConsentChanged
from shared.errors import Conflict, Forbidden, NotFound
from shared.feed import publish
from shared.history import chain_hash
from shared.identity import Principal
from shared.ids import new_id


class ConsentNotFound(NotFound):
    """There is no such consent, or it is not your company's."""


class ConsentOfAnotherSupplier(Conflict):
    """The consent was given by another supplier."""


class ConsentExpired(Conflict):
    """The consent's last day has passed."""


class ConsentRevoked(Conflict):
    """The supplier took the consent back."""


class ConsentForAnother(Forbidden):
    """The consent was given to somebody else."""


class ConsentDoesNotCover(Conflict):
    """The consent does not cover what is asked for."""


class ConsentEndPassed(Conflict):
    """A consent does not end before it is given."""


class NotASupplier(Conflict):
    """Your company is not registered as a supplier."""


async def record_consent(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    what: Collection[Shared],
    audience: Audience,
    to_id: UUID | None,
    until: date,
    by: Principal,
    at: datetime,
) -> Consent:
    """Let others read parts of the supplier's record, as far as the stages open it.

    Raises:
        NotASupplier, ConsentEndPassed: see the classes.
    """
    if not await supplier_exists(session, supplier_id=supplier_id):
        raise NotASupplier("Your company is not registered as a supplier.")
    if until < business_date(at):
        raise ConsentEndPassed(f"{until} has passed.")
    consent = Consent(
        supplier_id=supplier_id,
        id=new_id(),
        what=sorted(set(what)),
        audience=audience,
        to_id=to_id,
        until=until,
        recorded_at=at,
        recorded_by=by.subject,
    )
    await chronicle(session, consent, event="recorded", by=by, at=at)
    await _tell(session, consent, at=at)
    return consent


async def revoke_consent(
    session: AsyncSession, *, supplier_id: UUID, consent_id: UUID, reason: str, by: Principal, at: datetime
) -> Consent:
    """Take a consent back: from now on nobody reads under it. Revoking twice changes nothing.

    Raises:
        ConsentNotFound: see the class.
    """
    consent = await queries.own_consent_for_update(session, supplier_id=supplier_id, consent_id=consent_id)
    if consent is None:
        raise ConsentNotFound("There is no such consent of yours.")
    if consent.revoked_at is None:
        consent.revoked_at, consent.revoked_by = at, by.subject
        await chronicle(session, consent, event="revoked", by=by, at=at, reason=reason)
        await _tell(session, consent, at=at)
    return consent


async def consent_to_use(
    session: AsyncSession,
    *,
    consent_id: UUID,
    supplier_id: UUID,
    viewer: Collection[str],
    needs: Shared | None = None,
    at: datetime,
) -> Consent:
    """A consent that one who holds `viewer` may use now for this supplier.

    Raises:
        ConsentNotFound, ConsentOfAnotherSupplier, ConsentRevoked, ConsentExpired, ConsentForAnother,
        ConsentDoesNotCover: see the classes.
    """
    consent = await queries.consent_anywhere(session, consent_id=consent_id)
    if consent is None:
        raise ConsentNotFound("There is no such consent.")
    given: Given = consent.given
    if not given.is_for(viewer):
        raise ConsentForAnother("The consent was given to somebody else.")
    if consent.supplier_id != supplier_id:
        raise ConsentOfAnotherSupplier("The consent was given by another supplier.")
    if given.revoked_at is not None:
        raise ConsentRevoked("The supplier took the consent back.")
    if given.until < business_date(at):
        raise ConsentExpired(f"The consent ended on {given.until}.")
    if needs is not None and needs not in given.what:
        raise ConsentDoesNotCover(f"The consent covers {', '.join(sorted(given.what))}, not {needs}.")
    return consent


async def read_under(
    session: AsyncSession, *, supplier_id: UUID, consent_id: UUID, by: Principal, at: datetime
) -> None:
    """Write down that something was read under a consent, which must still stand.

    Raises:
        ConsentNotFound, ConsentRevoked: see the classes.
    """
    consent = await queries.own_consent_for_update(session, supplier_id=supplier_id, consent_id=consent_id)
    if consent is None:
        raise ConsentNotFound("There is no such consent.")
    if consent.revoked_at is not None:
        raise ConsentRevoked("The supplier took the consent back.")
    await chronicle(session, consent, event="read", by=by, at=at)


async def chronicle(
    session: AsyncSession, consent: Consent, *, event: str, by: Principal, at: datetime, **detail: Any
) -> None:
    """Add to the consent's history, which its supplier reads: who recorded, read under and revoked it."""
    consent.history_length += 1
    entry = {
        "consent_id": str(consent.id),
        "number": consent.history_length,
        "event": event,
        "by": str(by.subject),
        "by_company": str(by.scope_id),
        "at": at.isoformat(),
        "what": list(consent.what),
        "audience": str(consent.audience),
        "to": None if consent.to_id is None else str(consent.to_id),
        "until": consent.until.isoformat(),
        **detail,
    }
    previous = None if consent.history_hash is None else bytes(consent.history_hash)
    consent.history_hash = chain_hash(previous, entry)
    session.add(consent)
    await session.flush()
    session.add(
        ConsentHistory(
            supplier_id=consent.supplier_id,
            consent_id=consent.id,
            number=consent.history_length,
            entry=entry,
            hash=consent.history_hash,
            at=at,
        )
    )
    await session.flush()


def holds(consent: Consent, entries: Sequence[ConsentHistory]) -> bool:
    """Whether no entry of a consent's history is missing at its end."""
    last = bytes(entries[-1].hash) if entries else None
    expected = None if consent.history_hash is None else bytes(consent.history_hash)
    return len(entries) == consent.history_length and last == expected


async def _tell(session: AsyncSession, consent: Consent, *, at: datetime) -> None:
    await publish(
        session,
        type=CONSENT_CHANGED,
        subject=str(consent.id),
        data=ConsentChanged(
            consent_id=consent.id,
            supplier_id=consent.supplier_id,
            what=consent.what,
            audience=consent.audience,
            to_id=consent.to_id,
            until=consent.until,
            revoked=consent.revoked_at is not None,
        ),
        at=at,
        company_id=consent.supplier_id,
    )
