"""What `orders` says to `suppliers` to hold goods for a basket, and what it hears back.

A basket is held whole or not at all, under an id that its caller made: the same id again is the same
reservation, whatever became of the first call.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NotRequired, Self, TypedDict
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from shared.contracts.fields import Answer, Body, Currency, Name, QuantityText, RegionCode

LINES_AT_MOST = 10_000
BASKETS_AT_MOST = 200

ReservationStateText = Literal["HELD", "CONSUMED", "RELEASED", "EXPIRED"]


class ReserveLine(Body):
    """One line of a basket: so much of one offer by a day."""

    line_no: int = Field(ge=1, le=1_000_000)
    offer_id: UUID
    quantity: QuantityText
    unit: Name = Field(examples=["t"])
    need_by: date


class ReserveBasket(Body):
    """Goods of any number of suppliers, to be held together."""

    reservation_id: UUID = Field(description="Made by the caller from what it intends, so that a retry is the same.")
    buyer_company_id: UUID
    buyer_group_id: UUID | None = None
    buyer_circle_ids: list[UUID] = Field(default_factory=list, max_length=1000)
    project_id: UUID | None = Field(default=None, description="What it is for; a blacklist may speak of projects.")
    currency: Currency
    region: RegionCode = Field(description="Where the goods are to be delivered.")
    at: AwareDatetime | None = Field(default=None, description="When the order is placed; the time of receipt if none.")
    ttl_seconds: int = Field(default=600, ge=30, le=3600, description="How long to hold before an order takes it.")
    lines: list[ReserveLine] = Field(min_length=1, max_length=LINES_AT_MOST)

    @model_validator(mode="after")
    def _lines_are_told_apart(self) -> Self:
        if len({line.line_no for line in self.lines}) != len(self.lines):
            message = "line_no must be unique within a basket"
            raise ValueError(message)
        return self


class ReserveRequest(Body):
    """Many baskets in one call; each is judged on its own."""

    baskets: list[ReserveBasket] = Field(min_length=1, max_length=BASKETS_AT_MOST)

    @model_validator(mode="after")
    def _not_too_many_lines(self) -> Self:
        if sum(len(basket.lines) for basket in self.baskets) > LINES_AT_MOST:
            message = f"at most {LINES_AT_MOST} lines in one call"
            raise ValueError(message)
        return self


class ReservedLine(Answer):
    """What an order line copies: everything that must not change afterwards, as it was when held."""

    line_no: int
    offer_id: UUID
    supplier_id: UUID
    supplier_name: str
    supplier_tax_id: str
    item_no: str
    stock_point: str | None = Field(description="None: made to order, nothing is taken from stock.")
    variant_id: UUID
    variant_key: str
    name_zh: str
    name_en: str
    brand: str | None
    spec_hash: str
    quantity: Decimal
    unit: str
    unit_decimals: int = Field(description="Places `unit` is counted in, also for a smaller quantity.")
    priced_quantity: Decimal = Field(description="The quantity in `price_unit`, which `unit_price` multiplies.")
    price_unit: str
    base_quantity: Decimal
    base_unit: str
    base_decimals: int = Field(description="Places `base_unit` is counted in.")
    unit_factor: Decimal = Field(description="Base units in one `unit`.")
    unit_price: Decimal
    currency: str
    tax_rate: Decimal
    tax_inclusive: bool
    lead_time_days: int
    promised_by: date


class ReservedLinePlain(TypedDict):
    """A `ReservedLine` as JSON says it, decimals and dates as text: placing an order copies it without a detour."""

    line_no: int
    offer_id: str
    supplier_id: str
    supplier_name: str
    supplier_tax_id: str
    item_no: str
    stock_point: str | None
    variant_id: str
    variant_key: str
    name_zh: str
    name_en: str
    brand: str | None
    spec_hash: str
    quantity: str
    unit: str
    unit_decimals: int
    priced_quantity: str
    price_unit: str
    base_quantity: str
    base_unit: str
    base_decimals: int
    unit_factor: str
    unit_price: str
    currency: str
    tax_rate: str
    tax_inclusive: bool
    lead_time_days: int
    promised_by: str


class LineRefusal(Answer):
    """One reason against one line; a line may have several."""

    line_no: int
    code: str = Field(examples=["InsufficientStock"])
    detail: str
    field: str = Field(examples=["quantity"])
    available: Decimal | None = Field(default=None, description="In the base unit, when stock is the reason.")


class ReserveResult(Answer):
    """What became of one basket.

    `outcome` is `held` while an order may be placed on it or was placed on it. A reservation that was refused
    leaves nothing behind and may be tried again under the same id. One that ended (`RELEASED`, `EXPIRED`) is
    told with its lines as they were, as `refused`, with a `code`; so is an id that was used for another basket.
    """

    reservation_id: UUID
    outcome: Literal["held", "refused"]
    state: ReservationStateText | None = None
    code: str | None = Field(default=None, examples=["ReservationExpired"])
    detail: str | None = None
    expires_at: datetime | None = None
    lines: list[ReservedLine] = Field(default_factory=list)
    refusals: list[LineRefusal] = Field(default_factory=list)


class LineRefusalPlain(TypedDict):
    """A `LineRefusal` as JSON says it."""

    line_no: int
    code: str
    detail: str
    field: str


class ReserveResultPlain(TypedDict):
    """A `ReserveResult` as JSON says it; what is None there may be absent here."""

    reservation_id: str
    outcome: Literal["held", "refused"]
    code: NotRequired[str | None]
    detail: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    lines: NotRequired[list[ReservedLinePlain]]
    refusals: NotRequired[list[LineRefusalPlain]]


class ReserveAnswer(Answer):
    """One result a basket, in the order asked."""

    results: list[ReserveResult]


class ReleaseRequest(Body):
    """Reservations that no order will take."""

    reservation_ids: list[UUID] = Field(min_length=1, max_length=1000)


class ReleaseResult(Answer):
    """What a reservation is now. CONSUMED: an order has it, nothing was released. None: never seen here."""

    reservation_id: UUID
    state: ReservationStateText | None


class ReleaseAnswer(Answer):
    """One result an id, in the order asked."""

    results: list[ReleaseResult]


class StockDrift(Answer):
    """A stock row whose `reserved` is not the sum of its live reservation lines; there should be none."""

    supplier_id: UUID
    item_no: str
    stock_point: str
    reserved: Decimal
    live: Decimal
