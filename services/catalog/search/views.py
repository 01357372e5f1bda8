"""From rows to what a caller reads."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from services.catalog.components.tables import Variant
from services.catalog.search.queries import Offers
from services.catalog.search.rules import Asked, Counted, Terms, fit_of
from services.catalog.search.schemas import (
    AmountsView,
    MisfitView,
    OfferView,
    StockView,
    TierView,
    VariantView,
)


def variant_view(variant: Variant) -> VariantView:
    """A variant as a hit shows it."""
    return VariantView.model_validate(variant)


def counted(variant: Variant) -> Counted:
    """How a variant is counted."""
    return Counted(
        base_unit=variant.base_unit,
        base_decimals=variant.base_decimals,
        factors={unit: Decimal(factor) for unit, factor in variant.unit_factors.items()},
        decimals=variant.unit_decimals,
    )


def asked_of(wish: Offers) -> Asked | None:
    """The quantity asked, if one was."""
    if wish.quantity is None:
        return None
    return Asked(quantity=wish.quantity, units=wish.units, need_by=None, on=wish.today)


def offer_view(row: Row[Any], *, counts: Counted, asked: Asked | None, knows_stock: bool) -> OfferView:
    """An offer with its price for the quantity asked; exact stock only for who may know it."""
    terms = Terms(
        price=row.price,
        tax_inclusive=row.tax_inclusive,
        tax_rate=row.tax_rate,
        unit=row.unit,
        unit_factor=row.unit_factor,
        min_quantity=row.min_quantity,
        step_quantity=row.step_quantity,
        tier_from=row.tier_from,
        tier_price=row.tier_price,
        lead_time_days=row.lead_time_days,
        stocked=row.stock_point is not None,
        band=row.band,
        available=row.available if knows_stock else None,
    )
    fit = fit_of(terms=terms, counted=counts, asked=asked)
    return OfferView(
        offer_id=row.offer_id,
        supplier_id=row.supplier_id,
        supplier_name=row.supplier_name,
        item_no=row.item_no,
        brand=row.brand,
        unit_price=plain(fit.unit_price),
        list_price=plain(row.price),
        tiers=_tiers(row),
        currency=row.currency,
        tax_inclusive=row.tax_inclusive,
        tax_rate=plain(row.tax_rate),
        unit=row.unit,
        unit_factor=plain(row.unit_factor),
        min_quantity=None if row.min_quantity is None else plain(row.min_quantity),
        step_quantity=None if row.step_quantity is None else plain(row.step_quantity),
        lead_time_days=row.lead_time_days,
        regions=row.regions,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        stock=_stock(row, terms),
        comparable_price=plain(row.comparable),
        priced_quantity=fit.priced_quantity,
        base_quantity=fit.base_quantity,
        amounts=None if fit.amounts is None else AmountsView.model_validate(fit.amounts),
        fits=not fit.misfits,
        misfits=[MisfitView(code=each.code, detail=each.detail) for each in fit.misfits],
    )


def plain(number: Decimal) -> Decimal:
    """Without trailing zeros, never as 1E+3."""
    return Decimal(format(number.normalize(), "f"))


def _tiers(row: Row[Any]) -> list[TierView]:
    pairs: Sequence[tuple[Decimal, Decimal]] = list(zip(row.tier_from, row.tier_price, strict=True))
    return [TierView(min_quantity=plain(start), price=plain(price)) for start, price in pairs]


def _stock(row: Row[Any], terms: Terms) -> StockView | None:
    if row.stock_point is None:
        return None
    return StockView(
        stock_point=row.stock_point,
        band=terms.band,
        available=None if terms.available is None else plain(terms.available),
        as_of=row.as_of,
    )
