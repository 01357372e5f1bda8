"""What an offer costs for a quantity, whether it fits, and how well a candidate answers a line. Pure.

The reasons carry the codes that `suppliers` gives when goods are held, so a buyer learns them before ordering.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile

from shared.money import LineAmounts, line_amounts
from shared.quantity import has_at_most, to_base


class Reason(StrEnum):
    """Why an offer does not fit what was asked."""

    UNIT_NOT_CONVERTIBLE = "UnitNotConvertible"
    QUANTITY_TOO_PRECISE = "QuantityTooPrecise"
    BELOW_MINIMUM = "BelowMinimum"
    NOT_A_STEP_MULTIPLE = "NotAStepMultiple"
    INSUFFICIENT_STOCK = "InsufficientStock"
    NEED_BY_TOO_EARLY = "NeedByTooEarly"
    STANDARD_WITHDRAWN = "StandardWithdrawn"
    ITEM_RESTRICTED = "ItemRestricted"
    TYPE_DEPRECATED = "TypeDeprecated"
    SUPPLIER_BLACKLISTED = "SupplierBlacklisted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """How a variant is counted."""

    base_unit: str
    base_decimals: int
    factors: Mapping[str, Decimal]
    decimals: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """An offer's terms; minimum, step and tiers count in its unit, `available` in the base unit."""

    price: Decimal
    tax_inclusive: bool
    tax_rate: Decimal
    unit: str
    unit_factor: Decimal
    min_quantity: Decimal | None
    step_quantity: Decimal | None
    tier_from: Sequence[Decimal]
    tier_price: Sequence[Decimal]
    lead_time_days: int
    stocked: bool
    band: str | None
    available: Decimal | None
    """None: not told to this caller, or made to order."""
    freight: Decimal = Decimal(0)
    """What delivery adds to each unit's price, in the same tax basis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A quantity in one of the units a word may mean, wanted by a day."""

    quantity: Decimal
    units: Sequence[str]
    need_by: date | None
    on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """One reason against an offer."""

    code: Reason
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """What an offer costs for the quantity asked, and every reason against it."""

    unit_price: Decimal
    """Of the tier that the quantity reaches, without freight."""
    priced_quantity: Decimal | None
    base_quantity: Decimal | None
    amounts: LineAmounts | None
    misfits: tuple[Misfit, ...]


def price_at(*, terms: Terms, quantity: Decimal | None) -> Decimal:
    """The unit price for a quantity in the offer's unit: that of the highest tier it reaches."""
    if quantity is None:
        return terms.price
    reached = len(list(takewhile(lambda start: start <= quantity, terms.tier_from)))
    return terms.tier_price[reached - 1] if reached else terms.price


def fit_of(*, terms: Terms, counted: Counted, asked: Asked, against: Sequence[Misfit]) -> Fit:
    """The price, and whether a basket with this line would be taken. `against` is what lists and registers say."""
    misfits = (*against, *_time(terms, asked))
    measured = _measured(terms, counted, asked)
    if isinstance(measured, Misfit):
        return unmeasured(price=terms.price, misfits=(measured, *misfits))
    priced, base = measured
    price = price_at(terms=terms, quantity=priced)
    amounts = line_amounts(
        quantity=priced, unit_price=price + terms.freight, tax_rate=terms.tax_rate, tax_inclusive=terms.tax_inclusive
    )
    return Fit(
        unit_price=price,
        priced_quantity=priced,
        base_quantity=base,
        amounts=amounts,
        misfits=(*_lot(terms, priced), *_stock(terms, base, counted), *misfits),
    )


def unmeasured(*, price: Decimal, misfits: Sequence[Misfit]) -> Fit:
    """An offer without a quantity: its price, and what stands against it whatever the quantity."""
    return Fit(unit_price=price, priced_quantity=None, base_quantity=None, amounts=None, misfits=tuple(misfits))


def told_against(
    *, withdrawn: str | None = None, restricted: str | None = None, deprecated: str | None = None, listed: str = ""
) -> tuple[Misfit, ...]:
    """What stands against an offer by the registers and lists.

    `withdrawn` is the edition it is made to, when that was withdrawn; the others are the sentences of the restricted
    and banned list, of the dictionary about its type, and of a blacklist about its supplier.
    """
    misfits = []
    if listed:
        misfits.append(Misfit(code=Reason.SUPPLIER_BLACKLISTED, detail=listed))
    if withdrawn is not None:
        detail = f"It is made to {withdrawn}, which was withdrawn."
        misfits.append(Misfit(code=Reason.STANDARD_WITHDRAWN, detail=detail))
    if restricted is not None:
        misfits.append(Misfit(code=Reason.ITEM_RESTRICTED, detail=restricted))
    if deprecated is not None:
        misfits.append(Misfit(code=Reason.TYPE_DEPRECATED, detail=deprecated))
    return tuple(misfits)


def _measured(terms: Terms, counted: Counted, asked: Asked) -> tuple[Decimal, Decimal] | Misfit:
    """The quantity in the offer's unit and in the base unit.

    It is asked in the offer's own unit, or in any when the offer is priced in the base unit.
    """
    unit = terms.unit if terms.unit in asked.units else next((u for u in asked.units if u in counted.factors), None)
    if unit is None or terms.unit not in {unit, counted.base_unit}:
        said = asked.units[0] if unit is None else unit
        detail = f"The offer is per {terms.unit}; {said} cannot be converted to it."
        return Misfit(code=Reason.UNIT_NOT_CONVERTIBLE, detail=detail)
    factor = terms.unit_factor if unit == terms.unit else counted.factors[unit]
    decimals = counted.decimals.get(unit, counted.base_decimals)
    if not has_at_most(asked.quantity, decimals):
        detail = f"{unit} takes at most {decimals} decimal places; {asked.quantity} has more."
        return Misfit(code=Reason.QUANTITY_TOO_PRECISE, detail=detail)
    base = to_base(quantity=asked.quantity, factor=factor, decimals=counted.base_decimals)
    if base <= 0:
        detail = f"{asked.quantity} {unit} is {base} {counted.base_unit}: nothing to deliver."
        return Misfit(code=Reason.BELOW_MINIMUM, detail=detail)
    return (asked.quantity if unit == terms.unit else base), base


def _lot(terms: Terms, priced: Decimal) -> list[Misfit]:
    misfits = []
    if terms.min_quantity is not None and priced < terms.min_quantity:
        detail = f"The minimum is {terms.min_quantity.normalize():f} {terms.unit}; this is {priced}."
        misfits.append(Misfit(code=Reason.BELOW_MINIMUM, detail=detail))
    if terms.step_quantity is not None and priced % terms.step_quantity != 0:
        step = f"{terms.step_quantity.normalize():f} {terms.unit}"
        detail = f"It is sold in steps of {step}; {priced} is no multiple."
        misfits.append(Misfit(code=Reason.NOT_A_STEP_MULTIPLE, detail=detail))
    return misfits


def _stock(terms: Terms, base: Decimal, counted: Counted) -> list[Misfit]:
    """Short stock, told exactly only to who may know the exact figure; to others, whether there is any."""
    if not terms.stocked:
        return []
    if terms.available is not None and terms.available < base:
        detail = f"{terms.available.normalize():f} {counted.base_unit} are available; this is {base}."
        return [Misfit(code=Reason.INSUFFICIENT_STOCK, detail=detail)]
    if terms.band in {None, "out"}:
        return [Misfit(code=Reason.INSUFFICIENT_STOCK, detail="Nothing is in stock.")]
    return []


def _time(terms: Terms, asked: Asked) -> list[Misfit]:
    promise = asked.on + timedelta(days=terms.lead_time_days)
    if asked.need_by is None or asked.need_by >= promise:
        return []
    detail = f"Ordered on {asked.on} it is promised by {promise}, not by {asked.need_by}."
    return [Misfit(code=Reason.NEED_BY_TOO_EARLY, detail=detail)]


ATTRIBUTES, NAME, UNIT, EVIDENCE = Decimal("0.45"), Decimal("0.25"), Decimal("0.15"), Decimal("0.15")


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """How a candidate answers a line; each part is between 0 and 1."""

    attributes: Decimal
    """Share of the required identity properties that the line states."""
    name: Decimal
    unit_converts: bool
    offered: bool
    """Somebody offers it to this caller."""

    @property
    def score(self) -> Decimal:
        """0.45 attributes + 0.25 name + 0.15 unit + 0.15 evidence (domain.md 3.4).

        A unit that does not convert is a hard stop.
        """
        if not self.unit_converts:
            return Decimal(0)
        total = ATTRIBUTES * self.attributes + NAME * self.name + UNIT + EVIDENCE * self.offered
        return total.quantize(Decimal("0.01"))
