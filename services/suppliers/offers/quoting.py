"""What a basket would cost now, by the very rules of the reservation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.suppliers.blacklists.blocking import Blacklist, Subject, against_order, lists_of
from services.suppliers.blacklists.blocking import told as entry_told
from services.suppliers.blacklists.rules import OFFICIAL, Business
from services.suppliers.offers import queries
from services.suppliers.offers.queries import Listing
from services.suppliers.offers.rules import FrozenLine, Misfit, MisfitCode, Wanted, frozen_line
from services.suppliers.register.queries import register_now
from services.suppliers.register.rules import Register
from shared.clock import business_date
from shared.contracts.suppliers import QuoteAnswer, QuotedLine, QuoteLine, QuoteReason, QuoteRequest, QuoteTotals
from shared.database import scope_to
from shared.money import line_amounts, sum_by_rate

StockKey = tuple[UUID, str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """A request, the day of asking, and what the registers say."""

    request: QuoteRequest
    on: date
    register: Register
    lists: Sequence[Blacklist]
    """Those that bind the asker, as far as they speak of these suppliers."""


async def quote(
    session: AsyncSession,
    *,
    request: QuoteRequest,
    viewer: frozenset[str],
    viewer_id: UUID | None,
    group_id: UUID | None,
    at: datetime,
) -> QuoteAnswer:
    """Whether each line fits and what it costs, by the very rules of the reservation. Nothing is held."""
    listings = await queries.visible_listings(
        session, offer_ids={line.offer_id for line in request.lines}, viewer=viewer, viewer_id=viewer_id
    )
    asked = _Asked(
        request=request,
        on=business_date(at),
        register=await register_now(session),
        lists=await _lists(session, listings, owner_id=group_id or viewer_id),
    )
    needed = _needed(asked, listings)
    lines = [_quoted(line, asked, listings.get(line.offer_id), needed) for line in request.lines]
    priced = [
        (
            line.tax_rate,
            line_amounts(
                quantity=line.priced_quantity,
                unit_price=line.unit_price,
                tax_rate=line.tax_rate,
                tax_inclusive=bool(line.tax_inclusive),
            ),
        )
        for line in lines
        if line.fits and line.priced_quantity is not None and line.unit_price is not None and line.tax_rate is not None
    ]
    totals = sum_by_rate(priced)
    return QuoteAnswer(
        lines=lines,
        totals=QuoteTotals(net=totals.net, tax=totals.tax, gross=totals.gross),
        fits=all(line.fits for line in lines),
    )


async def _lists(
    session: AsyncSession, listings: Mapping[UUID, Listing], *, owner_id: UUID | None
) -> Sequence[Blacklist]:
    """What binds the asker: its group's list and the official one. All listings are read by now, so that the
    transaction may turn to the group's rows."""
    owners = {OFFICIAL} | ({owner_id} if owner_id is not None else set())
    await scope_to(session, *owners)
    about = {listing.offer.supplier_id for listing in listings.values()}
    return list((await lists_of(session, owner_ids=owners, supplier_ids=about)).values())


def _forbidden(asked: _Asked, listing: Listing) -> list[QuoteReason]:
    supplier, request = listing.supplier, asked.request
    subject = Subject(
        supplier_id=supplier.company_id,
        tax_id=supplier.tax_id,
        representative_hash=None if supplier.representative_hash is None else bytes(supplier.representative_hash),
    )
    business = Business(
        on=asked.on, category=listing.item.category, region=request.region, project_id=request.project_id
    )
    entry = against_order(asked.lists, subject, business)
    if entry is None:
        return []
    return [QuoteReason(code="SupplierBlacklisted", detail=entry_told(entry), field="offer_id")]


def _stock_key(listing: Listing) -> StockKey | None:
    offer = listing.offer
    return None if offer.stock_point is None else (offer.supplier_id, offer.item_no, offer.stock_point)


def _needed(asked: _Asked, listings: Mapping[UUID, Listing]) -> dict[StockKey, Decimal]:
    """What all fitting lines together want of each stock level: two lines of one item share it."""
    needed: dict[StockKey, Decimal] = {}
    for line in asked.request.lines:
        listing = listings.get(line.offer_id)
        key = None if listing is None else _stock_key(listing)
        if listing is None or key is None:
            continue
        judged = _judged(line, asked, listing)
        if isinstance(judged, FrozenLine):
            needed[key] = needed.get(key, Decimal(0)) + judged.base_quantity
    return needed


def _judged(line: QuoteLine, asked: _Asked, listing: Listing) -> FrozenLine | tuple[Misfit, ...]:
    wanted = Wanted(
        quantity=line.quantity,
        unit=line.unit,
        currency=asked.request.currency,
        region=asked.request.region,
        need_by=line.need_by,
        on=asked.on,
    )
    return frozen_line(terms=listing.terms, standing=listing.supplier.standing, wanted=wanted, register=asked.register)


def _quoted(line: QuoteLine, asked: _Asked, listing: Listing | None, needed: Mapping[StockKey, Decimal]) -> QuotedLine:
    told = {"offer_id": line.offer_id, "quantity": line.quantity, "unit": line.unit}
    if listing is None:
        reason = QuoteReason(
            code=MisfitCode.OFFER_NOT_FOUND, detail="There is no such offer for you.", field="offer_id"
        )
        return QuotedLine.model_validate({**told, "fits": False, "reasons": [reason]})
    reasons = _forbidden(asked, listing)
    judged = _judged(line, asked, listing)
    if not isinstance(judged, FrozenLine):
        reasons += [QuoteReason(code=each.code, detail=each.detail, field=each.field) for each in judged]
        return QuotedLine.model_validate({**told, "fits": False, "reasons": reasons})
    key, available = _stock_key(listing), listing.available
    if key is not None and available is not None and needed[key] > available:
        detail = f"{needed[key]} {judged.base_unit} wanted in all, {available} available."
        reasons.append(QuoteReason(code=MisfitCode.INSUFFICIENT_STOCK, detail=detail, field="quantity"))
    amounts = line_amounts(
        quantity=judged.priced_quantity,
        unit_price=judged.unit_price,
        tax_rate=listing.offer.tax_rate,
        tax_inclusive=listing.offer.tax_inclusive,
    )
    return QuotedLine(
        offer_id=line.offer_id,
        fits=not reasons,
        reasons=reasons,
        supplier_id=listing.offer.supplier_id,
        supplier_name=listing.supplier.name,
        item_no=listing.item.item_no,
        variant_key=listing.item.variant_key,
        name_zh=listing.item.name_zh,
        name_en=listing.item.name_en,
        brand=listing.item.brand,
        quantity=judged.quantity,
        unit=judged.unit,
        priced_quantity=judged.priced_quantity,
        price_unit=judged.price_unit,
        base_quantity=judged.base_quantity,
        base_unit=judged.base_unit,
        unit_price=judged.unit_price,
        freight=judged.freight,
        currency=judged.currency,
        tax_rate=listing.offer.tax_rate,
        tax_inclusive=listing.offer.tax_inclusive,
        net=amounts.net,
        tax=amounts.tax,
        gross=amounts.gross,
        available=available,
        promised_by=judged.promised_by,
    )
