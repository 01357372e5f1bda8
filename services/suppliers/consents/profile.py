"""The portable profile: a supplier's record as its consent and the stages of the spaces it stands in open it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.admissions.tables import Admission
from services.suppliers.consents.rules import Form, Given, Shared, form_open
from services.suppliers.consents.schemas import CommonProfile, PortableProfile, RecognisedDecision
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.spaces.queries import as_space
from services.suppliers.spaces.rules import CARRIED_OVER
from services.suppliers.spaces.tables import SupplierSpace
from shared.audience import Space


async def spaces_by_category(session: AsyncSession, *, supplier_id: UUID) -> dict[str, list[Space]]:
    """The spaces a supplier stands in."""
    found: dict[str, list[Space]] = {}
    for row in await session.scalars(select(SupplierSpace).where(col(SupplierSpace.supplier_id) == supplier_id)):
        if row.group_id != CARRIED_OVER:
            found.setdefault(row.category, []).append(as_space(row))
    return found


async def profile_for(
    session: AsyncSession,
    *,
    supplier: Supplier,
    viewer: Collection[str],
    consent: Given | None,
    consent_id: UUID | None,
) -> PortableProfile:
    """What a viewer may read of a supplier. Needs a system session: the decisions are other groups'."""
    by_category = await spaces_by_category(session, supplier_id=supplier.company_id)
    spaces = [space for each in by_category.values() for space in each]
    forms = {
        what: form_open(what, spaces=spaces, owner=supplier.company_id, viewer=viewer, consent=consent)
        for what in Shared
    }
    common = None
    if forms[Shared.PROFILE] is not Form.NONE:
        common = CommonProfile.model_validate(supplier)
    return PortableProfile(
        supplier_id=supplier.company_id,
        name=supplier.name,
        tax_id=supplier.tax_id,
        consent_id=consent_id,
        profile=common,
        documents=forms[Shared.QUALIFICATION_DOCUMENTS],
        evaluation=forms[Shared.EVALUATION],
        decisions=await _decisions(session, supplier=supplier, spaces=by_category, viewer=viewer, consent=consent),
    )


async def _decisions(
    session: AsyncSession,
    *,
    supplier: Supplier,
    spaces: dict[str, list[Space]],
    viewer: Collection[str],
    consent: Given | None,
) -> list[RecognisedDecision]:
    """The groups' decisions, each in the form in which its own space opens it. At S3 members see the common result
    alone, which is the profile's, so no group is named."""
    admitted = await session.scalars(
        select(Admission)
        .where(col(Admission.supplier_id) == supplier.company_id, col(Admission.status) == "ADMITTED")
        .order_by(col(Admission.category), col(Admission.id))
    )
    found = []
    for admission in admitted:
        space = next(
            (each for each in spaces.get(admission.category, ()) if each.group_id == admission.space_group_id), None
        )
        if space is None:
            continue
        form = form_open(
            Shared.QUALIFICATION_DECISION,
            spaces=[space],
            owner=supplier.company_id,
            viewer=viewer,
            consent=consent,
        )
        if form is Form.NONE or (form is Form.REDUCED and space.circle_id is None):
            continue
        full = form is Form.FULL
        found.append(
            RecognisedDecision(
                admission_id=admission.id,
                category=admission.category,
                form=form,
                group_id=admission.group_id,
                decided_on=admission.decided_on,
                status=admission.status if full else None,
                level=admission.level if full else None,
                grade=admission.grade if full else None,
                until=admission.until if full else None,
            )
        )
    return found
