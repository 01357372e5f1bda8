"""Does an offer fit what a buyer wants, and at which price? (domain.md 5.4, R2, R7)

The quote and the reservation ask here, so what a buyer was told is what a buyer gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from services.suppliers.register.rules import NOTHING, Goods, Register, against_order
from shared.quantity import has_at_most, to_base

QUANTITY_DECIMALS = 3
TIERS_AT_MOST = 20
FREIGHT_AT_MOST = 500
CERTIFICATES_AT_MOST = 20
MOST_PRICE = Decimal(10) ** 12
"""The first unit price that a NUMERIC(18, 6) cannot hold; here and in the order that copies it."""


class MisfitCode(StrEnum):
    """Why a line cannot be had; the same names go to people, programs and the reservation's refusals."""

    OFFER_NOT_FOUND = "OfferNotFound"
    OFFER_EXPIRED = "OfferExpired"
    OFFER_NOT_YET_VALID = "OfferNotYetValid"
    SUPPLIER_NOT_QUALIFIED = "SupplierNotQualified"
    PAPER_EXPIRED = "PaperExpired"
    REGION_NOT_SERVED = "RegionNotServed"
    CURRENCY_MISMATCH = "CurrencyMismatch"
    UNIT_NOT_CONVERTIBLE = "UnitNotConvertible"
    QUANTITY_TOO_PRECISE = "QuantityTooPrecise"
    BELOW_MINIMUM = "BelowMinimum"
    NOT_A_STEP_MULTIPLE = "NotAStepMultiple"
    INSUFFICIENT_STOCK = "InsufficientStock"
    NEED_BY_TOO_EARLY = "NeedByTooEarly"
    PRICE_TOO_LARGE = "PriceTooLarge"
    STANDARD_WITHDRAWN = "StandardWithdrawn"
    ITEM_RESTRICTED = "ItemRestricted"
    TYPE_DEPRECATED = "TypeDeprecated"


class OfferStatus(StrEnum):
    """A withdrawn offer can be read by its owner and ordered by nobody."""

    ACTIVE = "ACTIVE"
    WITHDRAWN = "WITHDRAWN"


ANY_CATEGORY = "*"
"""What is asked where a category has no entry of its own: papers that every category needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperEnd:
    """The first needed paper of a category that ends: its kind, and its last day."""

    kind: str
    until: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a supplier may sell, where, and until which day (inclusive; None: no end)."""

    qualified: bool
    categories: frozenset[str]
    regions: tuple[str, ...]
    until: date | None
    paper_ends: Mapping[str, PaperEnd] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """From this quantity on (in the offer's unit), this price."""

    min_quantity: Decimal
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Surcharge:
    """What delivery into a region costs per price unit, beside the price and taxed like it (domain.md 2.5)."""

    region: str
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """One offer with what its variant says about units. Minimum, step and tiers count in the offer's unit."""

    status: str
    category: str
    price: Decimal
    currency: str
    unit: str
    unit_factor: Decimal
    min_quantity: Decimal | None
    step_quantity: Decimal | None
    tiers: tuple[Tier, ...]
    lead_time_days: int
    regions: tuple[str, ...]
    valid_from: date
    valid_until: date | None
    base_unit: str
    base_decimals: int
    unit_factors: Mapping[str, Decimal]
    unit_decimals: Mapping[str, int]
    freight: tuple[Surcharge, ...] = ()
    goods: Goods | None = None
    """What the registers are asked about; None asks nothing."""


@dataclass(kw_only=True, slots=True)
class Wanted:
    """One line of a basket or quote. `on` is the business date of asking; `region` None asks nothing.

    Not frozen, like `FrozenLine`: one is made for every line asked for, and freezing makes that four times as dear.
    """

    quantity: Decimal
    unit: str
    currency: str
    region: str | None
    need_by: date | None
    on: date


@dataclass(kw_only=True, slots=True)
class FrozenLine:
    """What an order line copies and never changes: quantities, factor, price and the day promised (R7)."""

    quantity: Decimal
    unit: str
    priced_quantity: Decimal
    price_unit: str
    base_quantity: Decimal
    base_unit: str
    unit_factor: Decimal
    unit_price: Decimal
    """Landed: the tier's price and the freight into the region together."""
    freight: Decimal
    """What of the unit price is freight."""
    currency: str
    promised_by: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """One reason why a line cannot be had, and the member of the line it is about."""

    code: MisfitCode
    detail: str
    field: str


class _Measured(NamedTuple):
    priced_quantity: Decimal
    base_quantity: Decimal
    unit_factor: Decimal


def frozen_line(
    *, terms: Terms, standing: Standing, wanted: Wanted, register: Register = NOTHING
) -> FrozenLine | tuple[Misfit, ...]:
    """The line as an order would freeze it, or every reason against it, the gravest first.

    Stock is not asked here: it is the reservation's UPDATE that decides (design.md rule 5).
    """
    promise = promised_by(lead_time_days=terms.lead_time_days, on=wanted.on)
    against = (
        _standing(terms, standing, wanted)
        + _validity(terms, wanted)
        + _place(terms, standing, wanted)
        + _registers(terms, wanted, register)
        + _money_and_time(terms, wanted, promise)
    )
    measured = _measured(terms, wanted)
    if isinstance(measured, Misfit):
        return (*against, measured)
    freight = freight_to(freight=terms.freight, region=wanted.region)
    unit_price = price_at(price=terms.price, tiers=terms.tiers, quantity=measured.priced_quantity) + freight
    if against := against + _lot(terms, measured) + _countable(unit_price):
        return against
    return FrozenLine(
        quantity=wanted.quantity,
        unit=wanted.unit,
        priced_quantity=measured.priced_quantity,
        price_unit=terms.unit,
        base_quantity=measured.base_quantity,
        base_unit=terms.base_unit,
        unit_factor=measured.unit_factor,
        unit_price=unit_price,
        freight=freight,
        currency=terms.currency,
        promised_by=promise,
    )


def is_qualified(*, standing: Standing, category: str, on: date) -> bool:
    """Whether new business in a category may be done on a day; expiry stops it on the day after `until`.

    So does a paper that the category needs, on the day after its last.
    """
    return (
        standing.qualified
        and category in standing.categories
        and (standing.until is None or on <= standing.until)
        and (not standing.paper_ends or expired_paper(ends=standing.paper_ends, category=category, on=on) is None)
    )


def expired_paper(*, ends: Mapping[str, PaperEnd], category: str, on: date) -> PaperEnd | None:
    """The paper whose end stops new business in a category on a day, if one does."""
    end = ends.get(category) or ends.get(ANY_CATEGORY)
    return end if end is not None and on > end.until else None


def paper_ends_of(stored: Mapping[str, Mapping[str, str]]) -> dict[str, PaperEnd]:
    """`suppliers.paper_ends` as it is stored, for these rules."""
    return {
        category: PaperEnd(kind=end["kind"], until=date.fromisoformat(end["until"])) for category, end in stored.items()
    }


def serves(*, regions: Sequence[str], region: str) -> bool:
    """Whether a region lies in one of `regions` (GB/T 2260; a province or city holds what lies in it).

    No regions at all means everywhere.
    """
    return not regions or any(region.startswith(significant(served)) for served in regions)


def significant(region: str) -> str:
    """110100 names the whole city 1101, 110000 the whole province 11."""
    while len(region) > 2 and region.endswith("00"):
        region = region[:-2]
    return region


def freight_to(*, freight: Sequence[Surcharge], region: str | None) -> Decimal:
    """The surcharge of the smallest region that holds the place; none, or no place asked: the price is delivered."""
    if not freight or region is None:
        return _NO_FREIGHT
    around = {significant(entry.region): entry.price for entry in freight}
    heads = [head for head in around if region.startswith(head)]
    return around[max(heads, key=len)] if heads else _NO_FREIGHT


_NO_FREIGHT = Decimal(0)


def price_at(*, price: Decimal, tiers: Sequence[Tier], quantity: Decimal) -> Decimal:
    """The unit price for a quantity: that of the highest tier it reaches, else the offer's own."""
    if not tiers:
        return price
    reached = [tier.price for tier in tiers if quantity >= tier.min_quantity]
    return reached[-1] if reached else price


def promised_by(*, lead_time_days: int, on: date) -> date:
    """The day the supplier promises when ordered `on`; calendar days."""
    return on + timedelta(days=lead_time_days)


def tiers_ascend(tiers: Sequence[Tier]) -> bool:
    """Whether tiers begin above zero and each begins above the one before."""
    starts = [tier.min_quantity for tier in tiers]
    return all(start > 0 for start in starts) and all(later > earlier for earlier, later in pairwise(starts))


def _standing(terms: Terms, standing: Standing, wanted: Wanted) -> tuple[Misfit, ...]:
    if is_qualified(standing=standing, category=terms.category, on=wanted.on):
        return ()
    ended = expired_paper(ends=standing.paper_ends, category=terms.category, on=wanted.on)
    if ended is not None and is_qualified(
        standing=replace(standing, paper_ends={}), category=terms.category, on=wanted.on
    ):
        detail = (
            f"The supplier's {ended.kind.replace('_', ' ')} ended on {ended.until}: nothing new of {terms.category} "
            "is ordered until a renewed one is accepted."
        )
        return (Misfit(code=MisfitCode.PAPER_EXPIRED, detail=detail, field="offer_id"),)
    detail = f"The supplier is not qualified for {terms.category} on {wanted.on}."
    return (Misfit(code=MisfitCode.SUPPLIER_NOT_QUALIFIED, detail=detail, field="offer_id"),)


def _validity(terms: Terms, wanted: Wanted) -> tuple[Misfit, ...]:
    if terms.status != OfferStatus.ACTIVE:
        detail = "The offer was withdrawn."
        return (Misfit(code=MisfitCode.OFFER_EXPIRED, detail=detail, field="offer_id"),)
    if terms.valid_until is not None and wanted.on > terms.valid_until:
        detail = f"The offer was valid until {terms.valid_until}."
        return (Misfit(code=MisfitCode.OFFER_EXPIRED, detail=detail, field="offer_id"),)
    if wanted.on < terms.valid_from:
        detail = f"The offer is valid from {terms.valid_from}."
        return (Misfit(code=MisfitCode.OFFER_NOT_YET_VALID, detail=detail, field="offer_id"),)
    return ()


def _place(terms: Terms, standing: Standing, wanted: Wanted) -> tuple[Misfit, ...]:
    if wanted.region is None:
        return ()
    for regions, who in ((terms.regions, "The offer serves"), (standing.regions, "The supplier is qualified for")):
        if not serves(regions=regions, region=wanted.region):
            detail = f"{who} {', '.join(regions)}, not {wanted.region}."
            return (Misfit(code=MisfitCode.REGION_NOT_SERVED, detail=detail, field="region"),)
    return ()


def _registers(terms: Terms, wanted: Wanted, register: Register) -> tuple[Misfit, ...]:
    if register is NOTHING or terms.goods is None:
        return ()
    found = against_order(register, goods=terms.goods, region=wanted.region, on=wanted.on)
    return tuple(Misfit(code=MisfitCode(each.code), detail=each.detail, field="offer_id") for each in found)


def _money_and_time(terms: Terms, wanted: Wanted, promise: date) -> tuple[Misfit, ...]:
    against: tuple[Misfit, ...] = ()
    if wanted.currency != terms.currency:
        detail = f"The offer is in {terms.currency}, not {wanted.currency}."
        against += (Misfit(code=MisfitCode.CURRENCY_MISMATCH, detail=detail, field="currency"),)
    if wanted.need_by is not None and wanted.need_by < promise:
        detail = f"Ordered on {wanted.on} it is promised by {promise}, not by {wanted.need_by}."
        against += (Misfit(code=MisfitCode.NEED_BY_TOO_EARLY, detail=detail, field="need_by"),)
    return against


def _measured(terms: Terms, wanted: Wanted) -> _Measured | Misfit:
    """The quantity in the offer's unit and in the base unit; converted once, towards the base unit only (R7)."""
    if wanted.unit == terms.unit:
        factor = terms.unit_factor
    elif terms.unit == terms.base_unit and wanted.unit in terms.unit_factors:
        factor = terms.unit_factors[wanted.unit]
    else:
        detail = f"The offer is per {terms.unit}; {wanted.unit} cannot be converted to it."
        return Misfit(code=MisfitCode.UNIT_NOT_CONVERTIBLE, detail=detail, field="unit")
    decimals = terms.unit_decimals.get(wanted.unit, terms.base_decimals)
    base_quantity = to_base(quantity=wanted.quantity, factor=factor, decimals=terms.base_decimals)
    if not has_at_most(wanted.quantity, decimals):
        detail = f"{wanted.unit} takes at most {decimals} decimal places; {wanted.quantity} has more."
        return Misfit(code=MisfitCode.QUANTITY_TOO_PRECISE, detail=detail, field="quantity")
    if base_quantity <= 0:
        detail = f"{wanted.quantity} {wanted.unit} is {base_quantity} {terms.base_unit}: nothing to deliver."
        return Misfit(code=MisfitCode.BELOW_MINIMUM, detail=detail, field="quantity")
    priced = wanted.quantity if wanted.unit == terms.unit else base_quantity
    return _Measured(priced_quantity=priced, base_quantity=base_quantity, unit_factor=factor)


def _countable(unit_price: Decimal) -> tuple[Misfit, ...]:
    if unit_price < MOST_PRICE:
        return ()
    detail = f"With its freight a unit costs {unit_price}, more than can be counted here."
    return (Misfit(code=MisfitCode.PRICE_TOO_LARGE, detail=detail, field="quantity"),)


def _lot(terms: Terms, measured: _Measured) -> tuple[Misfit, ...]:
    against: tuple[Misfit, ...] = ()
    minimum, step = terms.min_quantity, terms.step_quantity
    if minimum is not None and measured.priced_quantity < minimum:
        detail = f"The minimum is {minimum} {terms.unit}; this is {measured.priced_quantity}."
        against += (Misfit(code=MisfitCode.BELOW_MINIMUM, detail=detail, field="quantity"),)
    if step is not None and measured.priced_quantity % step != 0:
        detail = f"It is sold in steps of {step} {terms.unit}; {measured.priced_quantity} is no multiple."
        against += (Misfit(code=MisfitCode.NOT_A_STEP_MULTIPLE, detail=detail, field="quantity"),)
    return against
