"""From rows to what a caller reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from services.catalog.components.tables import Variant
from services.catalog.restrictions.rules import names
from services.catalog.search.queries import Offers
from services.catalog.search.rules import Asked, Counted, Terms, fit_of
from services.catalog.search.schemas import (
    AmountsView,
    CarbonView,
    MisfitView,
    OfferView,
    StockView,
    TierView,
    VariantView,
)
from shared.designations import edition_key


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Restriction:
    """An entry of the restricted and banned list that holds: which values of its type it names, and what it says."""

    properties: Mapping[str, str]
    told: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What other steps say about what is shown."""

    withdrawn: frozenset[str] = frozenset()
    """Editions of standards that are withdrawn today, by `shared.designations.edition_key`."""
    restrictions: Mapping[str, Sequence[Restriction]] = field(default_factory=dict)
    """By type."""
    carbon_sources: Mapping[str, str] = field(default_factory=dict)
    """Where the carbon factor of each type is from."""

    def restricted(self, variant: Variant) -> str | None:
        """What the list says against goods of this variant."""
        for entry in self.restrictions.get(variant.type_code, ()):
            if names(entry_properties=entry.properties, properties=variant.properties):
                return entry.told
        return None


def offer_view(row: Row[Any], *, variant: Variant, asked: Asked | None, knows_stock: bool, beside: Beside) -> OfferView:
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
        freight=Decimal(row.freight),
        withdrawn=row.standard if row.standard and edition_key(row.standard) in beside.withdrawn else None,
        restricted=beside.restricted(variant),
    )
    fit = fit_of(terms=terms, counted=counted(variant), asked=asked)
    return OfferView(
        offer_id=row.offer_id,
        supplier_id=row.supplier_id,
        supplier_name=row.supplier_name,
        affiliated_with_operator=row.affiliated,
        item_no=row.item_no,
        brand=row.brand,
        unit_price=plain(fit.unit_price),
        freight=plain(terms.freight),
        landed_price=plain(fit.unit_price + terms.freight),
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
        comparable_price=plain(row.landed),
        priced_quantity=fit.priced_quantity,
        base_quantity=fit.base_quantity,
        amounts=None if fit.amounts is None else AmountsView.model_validate(fit.amounts),
        standard=row.standard,
        certificates=row.certificates,
        epd=row.epd,
        carbon=_carbon(row, beside),
        fits=not fit.misfits,
        misfits=[MisfitView(code=each.code, detail=each.detail) for each in fit.misfits],
    )


def _carbon(row: Row[Any], beside: Beside) -> CarbonView | None:
    """The valid declaration, else the type's typical value; never the lower of two."""
    if row.epd is not None and row.epd_counts:
        source = f"{row.epd['programme']} {row.epd['number']}"
        return CarbonView(kgco2e=plain(row.epd_kgco2e), kind="epd", source=source, valid_until=row.epd_until)
    return type_carbon(row.type_carbon, type_code=row.type_code, beside=beside)


def type_carbon(value: Decimal | None, *, type_code: str, beside: Beside) -> CarbonView | None:
    """The typical value of a type, with its source."""
    if value is None:
        return None
    return CarbonView(kgco2e=plain(value), kind="type_factor", source=beside.carbon_sources.get(type_code, type_code))


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
