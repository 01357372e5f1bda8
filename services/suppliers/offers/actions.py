"""Listing items, offering them, changing and withdrawing offers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.suppliers.offers import declared, queries, rules
from services.suppliers.offers.queries import Listing
from services.suppliers.offers.register_checks import check_listing
from services.suppliers.offers.rules import OfferStatus, Tier, tiers_ascend
from services.suppliers.offers.schemas import CertificateBody, EpdBody, FreightBody
from services.suppliers.offers.tables import Item, KnownVariant, Offer
from services.suppliers.onboarding.queries import supplier_exists
from services.suppliers.spaces.actions import keys_for
from services.suppliers.spaces.rules import named_ids
from shared.audience import Audience
from shared.clock import business_date
from shared.contracts.suppliers import (
    OFFERS_CHANGED,
    Certificate,
    Epd,
    Freight,
    OffersChanged,
    OfferState,
    TierState,
)
from shared.errors import Conflict, NotFound, Unprocessable
from shared.feed import publish
from shared.http import check_version
from shared.ids import new_id
from shared.quantity import has_at_most


class OfferNotFound(NotFound):
    """No such offer, or none that this caller may see."""


class SupplierNotRegistered(Conflict):
    """The company is not registered as a supplier; an operator registers it first."""


class VariantNeeded(Unprocessable):
    """The item is new; say which variant it is."""


class VariantRefused(Conflict):
    """`catalog` refuses the variant; `errors` says why."""


class ItemIsAnotherVariant(Conflict):
    """The item number stands for another variant; a new variant needs a new item number."""


class OfferExists(Conflict):
    """The item has an offer under this code; change that one."""


class OfferWithdrawn(Conflict):
    """A withdrawn offer does not change any more; make a new one."""


class UnitNotConvertible(Conflict):
    """The unit cannot be converted to the item's base unit."""


class TermsContradict(Unprocessable):
    """The terms do not go together: tiers that do not ascend, an end before the beginning, too precise lots."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTerms:
    """What an offer is to say."""

    stock_point: str | None
    price: Decimal
    currency: str
    tax_inclusive: bool
    tax_rate: Decimal
    unit: str
    min_quantity: Decimal | None
    step_quantity: Decimal | None
    tiers: Sequence[Tier]
    lead_time_days: int
    regions: Sequence[str]
    valid_from: date | None
    valid_until: date | None
    audience: Audience
    audience_ids: Sequence[UUID] = field(default_factory=tuple)
    standard: str | None = None
    freight: Sequence[FreightBody] = ()
    certificates: Sequence[CertificateBody] = ()
    epd: EpdBody | None = None


async def list_offer(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    item_no: str,
    offer_code: str,
    brand: str | None,
    variant: KnownVariant | None,
    terms: NewTerms,
    at: datetime,
) -> Listing:
    """List an item, if it is new, and offer it. `variant` was resolved before the transaction.

    Raises:
        SupplierNotRegistered, VariantNeeded, ItemIsAnotherVariant, OfferExists, UnitNotConvertible, TermsContradict,
        and what the registers say against it (`register_checks`).
    """
    if not await supplier_exists(session, supplier_id=supplier_id):
        raise SupplierNotRegistered("Your company is not registered as a supplier.")
    item, known = await _item(session, supplier_id=supplier_id, item_no=item_no, brand=brand, variant=variant, at=at)
    columns = _columns(known, terms, at=at) | await _seen_by(session, known, supplier_id, terms)
    await check_listing(session, variant=known, standard=terms.standard, regions=terms.regions, on=business_date(at))
    offer = Offer(supplier_id=supplier_id, id=new_id(), item_no=item_no, offer_code=offer_code, **columns)
    made = await session.execute(
        insert(Offer).values(offer.model_dump()).on_conflict_do_nothing().returning(col(Offer.id))
    )
    if made.one_or_none() is None:
        raise OfferExists(f"Item {item.item_no} has an offer {offer_code} already; change that one.")
    return await _announced(session, supplier_id=supplier_id, offer_id=offer.id, at=at)


async def _item(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    item_no: str,
    brand: str | None,
    variant: KnownVariant | None,
    at: datetime,
) -> tuple[Item, KnownVariant]:
    found = await queries.item_with_variant(session, supplier_id=supplier_id, item_no=item_no)
    if found is not None:
        item, known = found
        if variant is not None and variant.key != item.variant_key:
            raise ItemIsAnotherVariant(f"Item {item_no} is {item.variant_key}.")
        if brand is not None and brand != item.brand:
            item.brand, item.updated_at = brand, at
        return item, known
    if variant is None:
        raise VariantNeeded(f"Item {item_no} is new; say which variant it is.")
    item = Item(
        supplier_id=supplier_id,
        item_no=item_no,
        id=new_id(),
        variant_id=variant.id,
        variant_key=variant.key,
        type_code=variant.type_code,
        category=variant.category,
        name_zh=variant.name_zh,
        name_en=variant.name_en,
        brand=brand,
        base_unit=variant.base_unit,
        base_decimals=variant.base_decimals,
        updated_at=at,
    )
    await session.execute(insert(Item).values(item.model_dump()).on_conflict_do_nothing())
    # Another request may have listed the item at this moment, as another variant perhaps: look again.
    return await _item(session, supplier_id=supplier_id, item_no=item_no, brand=brand, variant=variant, at=at)


def _columns(variant: KnownVariant, terms: NewTerms, *, at: datetime) -> dict[str, Any]:
    """The terms as an offer's columns, once they go together and with the variant."""
    factor = variant.unit_factors.get(terms.unit)
    if factor is None:
        raise UnitNotConvertible(f"{terms.unit} cannot be converted to {variant.base_unit} for {variant.key}.")
    decimals = min(variant.unit_decimals.get(terms.unit, rules.QUANTITY_DECIMALS), rules.QUANTITY_DECIMALS)
    lots = [lot for lot in (terms.min_quantity, terms.step_quantity, *(t.min_quantity for t in terms.tiers)) if lot]
    if any(not has_at_most(lot, decimals) for lot in lots):
        raise TermsContradict(f"{terms.unit} takes at most {decimals} decimal places in minimum, step and tiers.")
    if not tiers_ascend(terms.tiers):
        raise TermsContradict("Each tier must begin above the one before it.")
    valid_from = terms.valid_from or business_date(at)
    if terms.valid_until is not None and terms.valid_until < valid_from:
        raise TermsContradict(f"The offer would end on {terms.valid_until}, before it begins on {valid_from}.")
    return {
        "stock_point": terms.stock_point,
        "price": terms.price,
        "currency": terms.currency,
        "tax_inclusive": terms.tax_inclusive,
        "tax_rate": terms.tax_rate,
        "unit": terms.unit,
        "unit_factor": Decimal(factor),
        "unit_decimals": decimals,
        "min_quantity": terms.min_quantity,
        "step_quantity": terms.step_quantity,
        "tiers": [{"min_quantity": f"{tier.min_quantity:f}", "price": f"{tier.price:f}"} for tier in terms.tiers],
        "lead_time_days": terms.lead_time_days,
        "regions": sorted(set(terms.regions)),
        "valid_from": valid_from,
        "valid_until": terms.valid_until,
        "standard": terms.standard,
        "freight": declared.stored_freight(terms.freight),
        "certificates": declared.stored_certificates(terms.certificates),
        "epd": declared.stored_epd(terms.epd),
        "updated_at": at,
    }


async def _seen_by(session: AsyncSession, variant: KnownVariant, supplier_id: UUID, terms: NewTerms) -> dict[str, Any]:
    """Whom the supplier means the offer for, and whom its spaces let see it."""
    ids = named_ids(terms.audience, terms.audience_ids)
    return {
        "audience": terms.audience,
        "audience_ids": ids,
        "audience_keys": await keys_for(
            session, supplier_id=supplier_id, category=variant.category, audience=terms.audience, ids=ids
        ),
    }


async def change_offer(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    offer_id: UUID,
    expected_version: int,
    terms: NewTerms,
    at: datetime,
) -> Listing:
    """Give an offer new terms. What is reserved or ordered keeps its own.

    Raises:
        OfferNotFound, VersionChanged, OfferWithdrawn, UnitNotConvertible, TermsContradict, and what the registers say
        against the new terms (`register_checks`).
    """
    offer = await _own(session, supplier_id, offer_id, expected_version)
    found = await queries.item_with_variant(session, supplier_id=supplier_id, item_no=offer.item_no)
    assert found is not None  # noqa: S101 - a foreign key says so
    columns = _columns(found[1], terms, at=at) | await _seen_by(session, found[1], supplier_id, terms)
    await check_listing(session, variant=found[1], standard=terms.standard, regions=terms.regions, on=business_date(at))
    for column, value in columns.items():
        setattr(offer, column, value)
    offer.version += 1
    await session.flush()
    return await _announced(session, supplier_id=supplier_id, offer_id=offer_id, at=at)


async def withdraw_offer(
    session: AsyncSession, *, supplier_id: UUID, offer_id: UUID, expected_version: int, at: datetime
) -> Listing:
    """Take an offer off the market for good.

    Raises:
        OfferNotFound, VersionChanged, OfferWithdrawn.
    """
    offer = await _own(session, supplier_id, offer_id, expected_version)
    offer.status = OfferStatus.WITHDRAWN
    offer.version += 1
    offer.updated_at = at
    await session.flush()
    return await _announced(session, supplier_id=supplier_id, offer_id=offer_id, at=at)


async def _own(session: AsyncSession, supplier_id: UUID, offer_id: UUID, expected_version: int) -> Offer:
    offer = await queries.own_offer_for_update(session, supplier_id=supplier_id, offer_id=offer_id)
    if offer is None:
        raise OfferNotFound(f"You have no offer {offer_id}.")
    check_version(expected=expected_version, actual=offer.version)
    if offer.status == OfferStatus.WITHDRAWN:
        raise OfferWithdrawn("The offer was withdrawn; make a new one.")
    return offer


async def _announced(session: AsyncSession, *, supplier_id: UUID, offer_id: UUID, at: datetime) -> Listing:
    listing = await queries.own_listing(session, supplier_id=supplier_id, offer_id=offer_id)
    assert listing is not None  # noqa: S101 - it was written in this transaction
    await publish(
        session,
        type=OFFERS_CHANGED,
        subject=str(supplier_id),
        data=OffersChanged(supplier_id=supplier_id, offers=[offer_state(listing)]),
        at=at,
        company_id=supplier_id,
    )
    return listing


def offer_state(listing: Listing) -> OfferState:
    """An offer as events tell it."""
    offer, item = listing.offer, listing.item
    return OfferState(
        offer_id=offer.id,
        supplier_id=offer.supplier_id,
        item_no=offer.item_no,
        variant_id=item.variant_id,
        variant_key=item.variant_key,
        type_code=item.type_code,
        category=item.category,
        brand=item.brand,
        price=offer.price,
        currency=offer.currency,
        tax_inclusive=offer.tax_inclusive,
        tax_rate=offer.tax_rate,
        unit=offer.unit,
        unit_factor=offer.unit_factor,
        base_unit=item.base_unit,
        min_quantity=offer.min_quantity,
        step_quantity=offer.step_quantity,
        lead_time_days=offer.lead_time_days,
        regions=offer.regions,
        valid_from=offer.valid_from,
        valid_until=offer.valid_until,
        audience_keys=offer.audience_keys,
        tiers=[TierState.model_validate(tier) for tier in offer.tiers],
        status=OfferStatus(offer.status).value,
        stock_point=offer.stock_point,
        standard=offer.standard,
        freight=[Freight.model_validate(entry) for entry in offer.freight or ()],
        certificates=[Certificate.model_validate(entry) for entry in offer.certificates or ()],
        epd=None if offer.epd is None else Epd.model_validate(offer.epd),
    )


def shown(listing: Listing, *, viewer_id: UUID | None, on: date) -> bool:
    """Whether a visible offer is shown: its supplier sees it always, others while the supplier is qualified."""
    if listing.offer.supplier_id == viewer_id:
        return True
    qualified = rules.is_qualified(standing=listing.supplier.standing, category=listing.item.category, on=on)
    return qualified and listing.terms.status == OfferStatus.ACTIVE
