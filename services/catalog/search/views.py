"""From rows to what a caller reads.

A page of a search has some sixty offers: they are told as plain members, ready to be encoded, that are those of
`schemas.OfferView` and `schemas.VariantView` (a test holds every answer against them).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from services.catalog.restrictions.rules import names
from services.catalog.search import blacklists
from services.catalog.search.queries import Offers
from services.catalog.search.rules import Asked, Counted, Fit, Misfit, Terms, fit_of, told_against, unmeasured
from services.catalog.search.schemas import CarbonView, OfferView, VariantView
from shared.designations import edition_key


class Shown(Protocol):
    """A variant as it is shown: a `Variant`, or a row with its values."""

    id: UUID
    key: str
    type_code: str
    category: str
    name_zh: str
    name_en: str
    properties: dict[str, str]
    base_unit: str
    base_decimals: int
    unit_factors: dict[str, str]
    unit_decimals: dict[str, int]
    carbon: Decimal | None


def variant_view(variant: Shown) -> VariantView:
    """A variant as a hit shows it."""
    return VariantView.model_validate(variant)


def variant_told(variant: Shown) -> dict[str, Any]:
    """The same, ready to be encoded."""
    return {
        "id": variant.id,
        "key": variant.key,
        "type_code": variant.type_code,
        "category": variant.category,
        "name_zh": variant.name_zh,
        "name_en": variant.name_en,
        "properties": variant.properties,
        "base_unit": variant.base_unit,
        "unit_factors": variant.unit_factors,
        "carbon": None if variant.carbon is None else str(variant.carbon),
    }


def counted(variant: Shown) -> Counted:
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
    deprecated: Mapping[str, str] = field(default_factory=dict)
    """What the dictionary says of types it took out of use, by code."""
    carbon_sources: Mapping[str, str] = field(default_factory=dict)
    """Where the carbon factor of each type is from."""

    def restricted(self, variant: Shown) -> str | None:
        """What the list says against goods of this variant."""
        for entry in self.restrictions.get(variant.type_code, ()):
            if names(entry_properties=entry.properties, properties=variant.properties):
                return entry.told
        return None


def offer_view(row: Any, *, variant: Shown, asked: Asked | None, knows_stock: bool, beside: Beside) -> OfferView:
    """An offer with its price for the quantity asked; exact stock only for who may know it."""
    judge = Judge(variant, asked=asked, knows_stock=knows_stock, beside=beside)
    return OfferView.model_validate(judge.told(row))


class Judge:
    """Tells the offers of one variant."""

    def __init__(self, variant: Shown, *, asked: Asked | None, knows_stock: bool, beside: Beside) -> None:
        self._type_code = variant.type_code
        self._measure = None if asked is None else (counted(variant), asked)
        self._knows_stock = knows_stock
        self._beside = beside
        self._restricted = beside.restricted(variant)
        self._deprecated = beside.deprecated.get(variant.type_code)

    def told(self, row: Any) -> dict[str, Any]:
        """One offer, at the price for the quantity asked, as an `OfferView` has it, ready to be encoded."""
        fit = self._fit(row)
        freight = Decimal(row.freight)
        return {
            "offer_id": row.offer_id,
            "supplier_id": row.supplier_id,
            "supplier_name": row.supplier_name,
            "affiliated_with_operator": row.affiliated,
            "item_no": row.item_no,
            "brand": row.brand,
            "unit_price": written(fit.unit_price),
            "freight": written(freight),
            "landed_price": written(fit.unit_price + freight),
            "list_price": written(row.price),
            "tiers": [
                {"min_quantity": written(start), "price": written(price)}
                for start, price in zip(row.tier_from, row.tier_price, strict=True)
            ],
            "currency": row.currency,
            "tax_inclusive": row.tax_inclusive,
            "tax_rate": written(row.tax_rate),
            "unit": row.unit,
            "unit_factor": written(row.unit_factor),
            "min_quantity": _written(row.min_quantity),
            "step_quantity": _written(row.step_quantity),
            "lead_time_days": row.lead_time_days,
            "regions": row.regions,
            "valid_from": row.valid_from,
            "valid_until": row.valid_until,
            "stock": self._stock(row),
            "comparable_price": written(row.landed),
            **_measured(fit),
            "standard": row.standard,
            "certificates": [_members(each, _CERTIFICATE) for each in row.certificates],
            "epd": None if row.epd is None else {**_members(row.epd, _EPD), "kgco2e": str(row.epd["kgco2e"])},
            "carbon": self._carbon(row),
            "fits": not fit.misfits,
            "misfits": [{"code": each.code, "detail": each.detail} for each in fit.misfits],
        }

    def _fit(self, row: Any) -> Fit:
        against = self._against(row)
        if self._measure is None:
            return unmeasured(price=row.price, misfits=against)
        counts, asked = self._measure
        return fit_of(terms=self._terms(row), counted=counts, asked=asked, against=against)

    def _against(self, row: Any) -> Sequence[Misfit]:
        withdrawn = row.standard if row.standard and _edition(row.standard) in self._beside.withdrawn else None
        if row.listed_for is None and not (withdrawn or self._restricted or self._deprecated):
            return ()
        listed = ""
        if row.listed_for is not None:
            listed = blacklists.told(
                official=row.listed_officially, reason_class=row.listed_for, until=row.listed_until
            )
        return told_against(
            withdrawn=withdrawn, restricted=self._restricted, deprecated=self._deprecated, listed=listed
        )

    def _terms(self, row: Any) -> Terms:
        return Terms(
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
            available=row.available if self._knows_stock else None,
            freight=Decimal(row.freight),
        )

    def _stock(self, row: Any) -> dict[str, Any] | None:
        if row.stock_point is None:
            return None
        return {
            "stock_point": row.stock_point,
            "band": row.band,
            "available": _written(row.available) if self._knows_stock else None,
            "as_of": row.as_of,
        }

    def _carbon(self, row: Any) -> dict[str, Any] | None:
        """The valid declaration, else the type's typical value; never the lower of two."""
        if row.epd is not None and row.epd_counts:
            source = f"{row.epd['programme']} {row.epd['number']}"
            return _carbon(row.epd_kgco2e, "epd", source, row.epd_until)
        if row.type_carbon is None:
            return None
        return _carbon(row.type_carbon, "type_factor", self._source, None)

    @property
    def _source(self) -> str:
        return self._beside.carbon_sources.get(self._type_code, self._type_code)


_CERTIFICATE = ("kind", "number", "issuer", "valid_until")
_EPD = ("number", "programme", "kgco2e", "valid_until")


def _members(sent: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """These of what `suppliers` sent, and no others."""
    return {name: sent.get(name) for name in names}


def _carbon(value: Decimal, kind: str, source: str, valid_until: Any) -> dict[str, Any]:
    return {"kgco2e": written(value), "kind": kind, "source": source, "valid_until": valid_until}


def _measured(fit: Fit) -> dict[str, Any]:
    amounts = fit.amounts
    return {
        "priced_quantity": None if fit.priced_quantity is None else str(fit.priced_quantity),
        "base_quantity": None if fit.base_quantity is None else str(fit.base_quantity),
        "amounts": None
        if amounts is None
        else {"net": str(amounts.net), "tax": str(amounts.tax), "gross": str(amounts.gross)},
    }


def type_carbon(value: Decimal | None, *, type_code: str, beside: Beside) -> CarbonView | None:
    """The typical value of a type, with its source."""
    if value is None:
        return None
    return CarbonView(kgco2e=plain(value), kind="type_factor", source=beside.carbon_sources.get(type_code, type_code))


def plain(number: Decimal) -> Decimal:
    """Without trailing zeros, never as 1E+3."""
    return Decimal(format(number.normalize(), "f"))


def written(number: Decimal) -> str:
    """`plain`, as JSON has it."""
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _written(number: Decimal | None) -> str | None:
    return None if number is None else written(number)


@lru_cache(maxsize=10_000)
def _edition(designation: str) -> str:
    """There are as many as standards, and they come with every offer."""
    return edition_key(designation)
