"""Listings and offers over HTTP: suppliers keep them, those they are meant for read them."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.inventory import rules as stock_rules
from services.suppliers.offers import actions, queries, quoting, variants
from services.suppliers.offers.actions import (
    ItemIsAnotherVariant,
    NewTerms,
    OfferExists,
    OfferNotFound,
    OfferWithdrawn,
    SupplierNotRegistered,
    TermsContradict,
    UnitNotConvertible,
    VariantNeeded,
    VariantRefused,
)
from services.suppliers.offers.queries import Listing
from services.suppliers.offers.register_checks import REGISTER_REFUSALS
from services.suppliers.offers.rules import OfferStatus, Tier
from services.suppliers.offers.schemas import NewOffer, OfferTerms, OfferView, TierView, UpdateReason
from services.suppliers.offers.variants import VariantSource
from services.suppliers.register.queries import register_now
from services.suppliers.register.rules import Register, against_offer
from shared.audience import viewer_keys
from shared.clients.transport import ServiceAway, ServiceUnknown
from shared.clock import business_date
from shared.contracts.catalog import VariantSnapshot
from shared.contracts.fields import QueryText
from shared.contracts.suppliers import QuoteAnswer, QuoteRequest
from shared.database import ReadSession, WriteSession
from shared.errors import FieldError, refusals
from shared.http import ExpectedVersion, Now, VersionChanged, VersionNeeded, etag
from shared.http import router as house_router
from shared.idempotency import EXEMPT
from shared.identity import Caller, Principal, Requires, Role, Scope, SupplierCaller, Visitor
from shared.paging import CursorInvalid, PageQuery

router = house_router("/suppliers/offers", tag="offers")

PriceWriter = Annotated[Principal, Depends(Requires(roles=[Role.SUPPLIER_SALES], scopes=[Scope.PRICES_WRITE]))]


async def _variant(request: Request, body: NewOffer, _: PriceWriter) -> VariantSnapshot | None:
    """The variant the body names, asked of `catalog` before the transaction begins (design.md rule 2)."""
    if body.variant is None:
        return None
    catalog: VariantSource = request.app.state.catalog
    result = (await catalog.resolve(references=[body.variant]))[0]
    if result.variant is None:
        error = result.error
        code, detail, field = (error.code, error.detail, error.field) if error else ("UnknownVariant", "Unknown.", "")
        where = f"variant.{field}" if field else "variant"
        raise VariantRefused(
            f"catalog refuses the variant: {detail}", errors=[FieldError(field=where, rule=code, message=detail)]
        )
    return result.variant


Variant = Annotated[VariantSnapshot | None, Depends(_variant)]


def _terms(body: OfferTerms) -> NewTerms:
    return NewTerms(
        stock_point=body.stock_point,
        price=body.price,
        currency=body.currency,
        tax_inclusive=body.tax_inclusive,
        tax_rate=body.tax_rate,
        unit=body.unit,
        min_quantity=body.min_quantity,
        step_quantity=body.step_quantity,
        tiers=[Tier(min_quantity=tier.min_quantity, price=tier.price) for tier in body.tiers],
        lead_time_days=body.lead_time_days,
        regions=body.regions,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        audience=body.audience,
        audience_ids=body.audience_ids,
        standard=body.standard,
        freight=body.freight,
        certificates=body.certificates,
        epd=body.epd,
    )


def _reasons(listing: Listing, register: Register, *, on: date) -> dict[str, list[UpdateReason]]:
    """What the registers say of an offer, today and ahead."""
    if listing.offer.status != OfferStatus.ACTIVE:
        return {"needs_update": [], "changes_ahead": []}
    found = against_offer(register, goods=listing.goods, regions=listing.offer.regions, on=on)
    return {
        "needs_update": [UpdateReason.model_validate(each) for each in found if each.since <= on],
        "changes_ahead": [UpdateReason.model_validate(each) for each in found if each.since > on],
    }


async def _own_view(session: AsyncSession, listing: Listing, caller: Principal, *, on: date, to: Response) -> OfferView:
    """An offer as its supplier sees it."""
    return _view(listing, viewer=caller, register=await register_now(session), on=on, response=to)


def _view(
    listing: Listing, *, viewer: Principal | None, register: Register, on: date, response: Response | None = None
) -> OfferView:
    offer, item, stock = listing.offer, listing.item, listing.stock
    own = viewer is not None and viewer.company_id == offer.supplier_id
    reasons: dict[str, Any] = {"needs_update": None, "changes_ahead": None}
    made_to_order = offer.stock_point is None
    on_hand, reserved = (Decimal(0), Decimal(0)) if stock is None else (stock.on_hand, stock.reserved)
    if response is not None:
        response.headers["ETag"] = etag(offer.version)
    return OfferView.model_validate(
        {
            **{name: getattr(item, name) for name in OfferView.model_fields if name in type(item).model_fields},
            **{name: getattr(offer, name) for name in OfferView.model_fields if name in type(offer).model_fields},
            "supplier_name": listing.supplier.name,
            "affiliated_with_operator": listing.supplier.affiliated_with_operator,
            "tiers": [TierView.model_validate(tier) for tier in offer.tiers],
            "freight": offer.freight or [],
            "certificates": offer.certificates or [],
            **(_reasons(listing, register, on=on) if own else reasons),
            "audience": offer.audience if own else None,
            "audience_ids": offer.audience_ids if own else None,
            "available": None if viewer is None else listing.available,
            "band": None if made_to_order else stock_rules.band(on_hand=on_hand, reserved=reserved),
            "as_of": None if stock is None or made_to_order else stock.as_of,
        }
    )


@router.post(
    "",
    summary="List an item and offer it",
    status_code=201,
    responses=refusals(
        SupplierNotRegistered,
        VariantNeeded,
        VariantRefused,
        ItemIsAnotherVariant,
        OfferExists,
        UnitNotConvertible,
        TermsContradict,
        *REGISTER_REFUSALS,
        ServiceAway,
        ServiceUnknown,
    ),
)
async def list_offer(
    *, body: NewOffer, caller: PriceWriter, variant: Variant, session: WriteSession, now: Now, response: Response
) -> OfferView:
    """The item is made if it is new; its variant is found, or made, at `catalog`."""
    known = None
    if variant is not None:
        await variants.remember(session, snapshots=[variant], at=now)
        known = await variants.known_variant(session, key=variant.key)
    listing = await actions.list_offer(
        session,
        supplier_id=caller.company,
        item_no=body.item_no,
        offer_code=body.offer_code,
        brand=body.brand,
        variant=known,
        terms=_terms(body),
        at=now,
    )
    response.headers["Location"] = f"/suppliers/offers/{listing.offer.id}"
    return await _own_view(session, listing, caller, on=business_date(now), to=response)


@router.get("", summary="List your offers", responses=refusals(CursorInvalid))
async def list_own(
    *,
    caller: SupplierCaller,
    session: ReadSession,
    paging: PageQuery,
    now: Now,
    response: Response,
    item_no: Annotated[QueryText | None, Query(max_length=100)] = None,
    status: OfferStatus | None = None,
    needs_update: Annotated[
        bool, Query(description="Only those that a register speaks against, now or ahead; pages may be short.")
    ] = False,
) -> list[OfferView]:
    """The supplier's own, withdrawn ones too. Buyers search at `catalog`."""
    register = await register_now(session)
    suspects = None
    if needs_update:
        suspects = await queries.suspects_of(session, supplier_id=caller.company, register=register)
    rows = await queries.own_listings_page(
        session,
        supplier_id=caller.company,
        item_no=item_no,
        status=status,
        suspects=suspects,
        after=paging.after_as(UUID),
        limit=paging.limit + 1,
    )
    shown = paging.page(rows, response, key=lambda row: [row.offer.id])
    views = [_view(listing, viewer=caller, register=register, on=business_date(now)) for listing in shown]
    return [view for view in views if not needs_update or view.needs_update or view.changes_ahead]


@router.post("/quote", summary="What would these lines cost, and do they fit?", openapi_extra=EXEMPT)
async def quote(*, body: QuoteRequest, caller: Caller, session: ReadSession, now: Now) -> QuoteAnswer:
    """Each line with its price and amounts, or every reason against it, by the rules of the reservation.

    Two lines of one item share its stock. Nothing is held: only placing an order holds goods and prices.
    """
    return await quoting.quote(
        session,
        request=body,
        viewer=caller.viewer_keys,
        viewer_id=caller.company_id,
        group_id=caller.group_id,
        at=now,
    )


@router.get("/{offer_id}", summary="Read an offer as it stands now", responses=refusals(OfferNotFound))
async def read(*, offer_id: UUID, caller: Visitor, session: ReadSession, now: Now, response: Response) -> OfferView:
    """For those it is meant for; others hear that it does not exist. Members see the exact quantity available."""
    keys = viewer_keys() if caller is None else caller.viewer_keys
    viewer_id = None if caller is None else caller.company_id
    found = await queries.visible_listings(session, offer_ids=[offer_id], viewer=keys, viewer_id=viewer_id)
    listing = found.get(offer_id)
    if listing is None or not actions.shown(listing, viewer_id=viewer_id, on=business_date(now)):
        raise OfferNotFound(f"There is no offer {offer_id} for you.")
    return _view(listing, viewer=caller, register=await register_now(session), on=business_date(now), response=response)


@router.put(
    "/{offer_id}",
    summary="Change an offer",
    responses=refusals(
        OfferNotFound,
        OfferWithdrawn,
        UnitNotConvertible,
        TermsContradict,
        *REGISTER_REFUSALS,
        VersionChanged,
        VersionNeeded,
    ),
)
async def change(
    *,
    offer_id: UUID,
    body: OfferTerms,
    caller: PriceWriter,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> OfferView:
    """All terms anew; what is left out takes its default. What is reserved or ordered keeps its own terms."""
    listing = await actions.change_offer(
        session,
        supplier_id=caller.company,
        offer_id=offer_id,
        expected_version=version,
        terms=_terms(body),
        at=now,
    )
    return await _own_view(session, listing, caller, on=business_date(now), to=response)


@router.post(
    "/{offer_id}/withdrawal",
    summary="Withdraw an offer",
    responses=refusals(OfferNotFound, OfferWithdrawn, VersionChanged, VersionNeeded),
)
async def withdraw(
    *,
    offer_id: UUID,
    caller: PriceWriter,
    version: ExpectedVersion,
    session: WriteSession,
    now: Now,
    response: Response,
) -> OfferView:
    """It can no longer be seen or ordered. There is no way back: make a new offer under another code."""
    listing = await actions.withdraw_offer(
        session, supplier_id=caller.company, offer_id=offer_id, expected_version=version, at=now
    )
    return await _own_view(session, listing, caller, on=business_date(now), to=response)
