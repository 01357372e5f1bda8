"""What `orders` says: bodies and answers of baskets and purchase orders, and its events.

Decimals are text in every answer. A position in a request counts from 0 (`lines.3.quantity`), a `line_no` from 1:
lines[3] of a basket is line_no 4, in its purchase order too.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from shared.contracts.fields import Answer, Body, Code, Currency, QuantityText, Text

LINES_AT_MOST = 10_000

BASKET_PLACED = "dev.dougong.orders.basket.placed.v1"
LINES_RELEASED = "dev.dougong.orders.lines.released.v1"
ORDER_CHANGED = "dev.dougong.orders.order.changed.v1"
CASE_FILE_CHANGED = "dev.dougong.orders.case_file.changed.v1"

Side = Literal["buyer", "supplier"]
LineNo = Annotated[int, Field(ge=1, le=LINES_AT_MOST)]


class BasketLine(Body):
    """So much of one offer, on the site by a day."""

    offer_id: UUID
    quantity: QuantityText
    unit: Code = Field(examples=["t"])
    need_by: date = Field(examples=["2026-12-15"])
    cost_code: Code | None = Field(default=None, description="The buyer's own; suppliers do not see it.")
    enterprise_code: Code | None = Field(
        default=None,
        description="The buyer's own material code. It must mean what the offer is of, by a published mapping, which "
        "then cannot be rolled back. Suppliers do not see it.",
    )
    note: Annotated[Text, Field(max_length=500)] | None = Field(default=None, description="Suppliers do not see it.")


class BasketBody(Body):
    """What a purchaser wants, from any number of suppliers; one purchase order follows for each of them."""

    project_id: UUID
    delivery_point_id: UUID
    currency: Currency = "CNY"
    note: Text | None = Field(default=None, description="The buyer's own; suppliers do not see it.")
    instructions: Text | None = Field(default=None, description="For the suppliers, e.g. about unloading.")
    lines: list[BasketLine] = Field(min_length=1, max_length=LINES_AT_MOST)


class RateTotalView(Answer):
    """The lines of one tax rate together."""

    tax_rate: Decimal = Field(examples=["0.13"])
    net: Decimal
    tax: Decimal
    gross: Decimal


class TotalsView(Answer):
    """The sums of the lines (never recomputed from the header)."""

    net: Decimal = Field(examples=["174035.48"])
    tax: Decimal = Field(examples=["22624.62"])
    gross: Decimal = Field(examples=["196660.10"])
    by_rate: list[RateTotalView]


class PartyView(Answer):
    """A company as it was when the order was placed."""

    company_id: UUID
    name: str
    tax_id: str


class OrderProject(Answer):
    """The project an order is for."""

    id: UUID
    number: str
    name: str


class DeliveryView(Answer):
    """Where the goods go, as it was when the order was placed."""

    delivery_point_id: UUID
    name: str
    region: str
    address: str
    contact_name: str | None
    contact_phone: str | None


class PendingChange(Answer):
    """What one side proposes for a line and the other has not decided."""

    kind: Literal["response", "cancellation"]
    quantity: Decimal | None
    promised_by: date | None
    reason: str | None
    proposed_at: datetime


class SupplierLine(Answer):
    """A line as its supplier sees it. `quantity` is what is agreed now, `ordered_quantity` what was ordered."""

    line_no: int
    state: str = Field(examples=["OPEN"])
    offer_id: UUID
    item_no: str
    stock_point: str | None
    variant_id: UUID
    variant_key: str = Field(examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"])
    name_zh: str
    name_en: str
    brand: str | None
    spec_hash: str
    ordered_quantity: Decimal
    quantity: Decimal
    unit: str
    priced_quantity: Decimal
    price_unit: str
    base_quantity: Decimal
    base_unit: str
    unit_factor: Decimal = Field(description="Base units in one `unit`, frozen.")
    unit_price: Decimal = Field(examples=["3253.00"])
    tax_rate: Decimal
    tax_inclusive: bool
    net: Decimal
    tax: Decimal
    gross: Decimal
    need_by: date
    promised_by: date
    pending_change: PendingChange | None


class BuyerLine(SupplierLine):
    """A line as its buyer sees it."""

    cost_code: str | None
    note: str | None
    enterprise_code: str | None = None


class OrderSummary(Answer):
    """An order as a list shows it."""

    id: UUID
    number: str = Field(examples=["PO-2026-000123"])
    basket_id: UUID
    state: str = Field(examples=["ISSUED"])
    awaits: list[Side] = Field(description="Whose move it is; empty when nobody's.")
    version: int
    buyer: PartyView
    supplier: PartyView
    project: OrderProject
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    placed_at: datetime
    updated_at: datetime


class DeliveryStopView(Answer):
    """The supplier is on a blacklist that stops deliveries: nothing is cancelled, what is on the road is received."""

    official: bool = Field(description="An official list; else that of the buyer's group.")
    reason_class: str = Field(examples=["SAFETY"])
    starts_on: date
    expires_on: date = Field(description="The last day, unless it is lifted before.")
    entry_id: UUID


class OrderHead(Answer):
    """What both sides see of an order beside its lines."""

    id: UUID
    number: str = Field(examples=["PO-2026-000123"])
    basket_id: UUID
    state: str = Field(examples=["ISSUED"])
    awaits: list[Side]
    version: int = Field(description="What If-Match names; also the ETag.")
    buyer: PartyView
    supplier: PartyView
    project: OrderProject
    delivery: DeliveryView
    instructions: str | None
    currency: str
    totals: TotalsView
    placed_at: datetime
    updated_at: datetime
    delivery_stop: DeliveryStopView | None = Field(
        default=None, description="Only on an order of which something has still to be sent, while it lasts."
    )


class SupplierOrder(OrderHead):
    """A purchase order as its supplier sees it."""

    lines: list[SupplierLine]


class BuyerOrder(OrderHead):
    """A purchase order as its buyer sees it."""

    placed_by: UUID
    lines: list[BuyerLine]


class BasketPlacement(Answer):
    """A basket and the purchase orders it became."""

    basket_id: UUID
    currency: str
    placed_at: datetime
    totals: TotalsView
    orders: list[BuyerOrder]


def _each_line_once(body: Any) -> Any:
    numbers = [line.line_no for line in body.lines]
    if len(set(numbers)) < len(numbers):
        message = "each line_no may be named once"
        raise ValueError(message)
    if not numbers and body.others is None:
        message = "name lines, or say what happens to all `others`"
        raise ValueError(message)
    return body


class LineAnswer(Body):
    """A supplier's answer to one line."""

    line_no: LineNo
    answer: Literal["accept", "change", "reject"]
    quantity: QuantityText | None = Field(default=None, description="With `change`: at most the quantity ordered.")
    promised_by: date | None = Field(default=None, description="With `change`: another day.")
    reason: Annotated[Text, Field(min_length=1)] | None = Field(default=None, description="Needed with `reject`.")

    @model_validator(mode="after")
    def _says_what_it_means(self) -> Self:
        changes = self.quantity is not None or self.promised_by is not None
        if changes != (self.answer == "change"):
            message = "`change` names another quantity or promised_by; `accept` and `reject` name neither"
            raise ValueError(message)
        if self.answer == "reject" and self.reason is None:
            message = "a rejection needs its reason"
            raise ValueError(message)
        return self


class ResponseBody(Body):
    """A supplier's answer to an order. Lines that are not named stay as they are, unless `others` accepts them."""

    lines: list[LineAnswer] = Field(default_factory=list, max_length=LINES_AT_MOST)
    others: Literal["accept"] | None = Field(
        default=None, description="Accept every open line that is neither named nor waiting for the buyer's decision."
    )
    note: Text | None = Field(default=None, description="Both sides see it in the history.")

    _lines_once = model_validator(mode="after")(_each_line_once)


class LineDecision(Body):
    """Yes or no to what the other side proposed for one line."""

    line_no: LineNo
    decision: Literal["accept", "decline"]
    note: Text | None = None


class DecisionBody(Body):
    """Decisions about proposed changes. Lines that are not named stay undecided, unless `others` says."""

    lines: list[LineDecision] = Field(default_factory=list, max_length=LINES_AT_MOST)
    others: Literal["accept", "decline"] | None = None

    _lines_once = model_validator(mode="after")(_each_line_once)


class CancellationBody(Body):
    """What is not wanted any more: some lines, or the whole order."""

    lines: list[LineNo] | None = Field(
        default=None, min_length=1, max_length=LINES_AT_MOST, description="None: every line that can be cancelled."
    )
    reason: Annotated[Text, Field(min_length=1)] = Field(examples=["Design changed, slab 5 is not built."])


class HistoryEntryView(Answer):
    """One entry, with the hash that binds it to all before it."""

    seq: int
    entry: dict[str, Any]
    hash: str = Field(description="SHA-256 of the hash before (64 zeros for the first) and the canonical entry, hex.")


class HistoryCheck(Answer):
    """Whether an order still is what its history says."""

    intact: bool
    length: int
    fault: str | None = Field(description="What does not hold, if anything.")
    broken_at: int | None = Field(description="The first entry that does not follow from those before it.")
    head: str = Field(description="The hash of the last entry; keep it to prove what you saw.")


class HistoryView(HistoryCheck):
    """An order's history."""

    entries: list[HistoryEntryView]


class PlacedLine(BaseModel):
    """A line that an order took from the reservation."""

    line_no: int


class PlacedOrder(BaseModel):
    """One supplier's part of a basket."""

    order_id: UUID
    supplier_id: UUID
    lines: list[PlacedLine]


class BasketPlaced(BaseModel):
    """dev.dougong.orders.basket.placed.v1: the reservation's goods now belong to these orders."""

    basket_id: UUID
    reservation_id: UUID
    buyer_id: UUID
    placed_at: AwareDatetime
    orders: list[PlacedOrder]


class ReleasedLine(BaseModel):
    """So much goes back into stock."""

    line_no: int
    base_quantity: Decimal


class LinesReleased(BaseModel):
    """dev.dougong.orders.lines.released.v1: rejected, cancelled, or confirmed with less."""

    reservation_id: UUID
    order_id: UUID
    supplier_id: UUID
    reason: Literal["rejected", "cancelled", "reduced"]
    lines: list[ReleasedLine]


class OrderChanged(BaseModel):
    """dev.dougong.orders.order.changed.v1: look at the order again. Carries no price."""

    order_id: UUID
    buyer_id: UUID
    supplier_id: UUID
    number: str
    what: str = Field(examples=["answered"])
    state: str
    awaits: list[Side]
    version: int


class OpenOrders(Answer):
    """How many of a company's orders are not finished."""

    as_buyer: int
    as_supplier: int


class CaseFileChanged(BaseModel):
    """dev.dougong.orders.case_file.changed.v1: operator staff opened an owner's documents, or the file was ended.

    The reason stands in the file, for the owner alone.
    """

    case_file_id: UUID
    owner_id: UUID
    operator_id: UUID
    what: Literal["opened", "ended"]
    expires_at: datetime


class OrdersUnderWay(Answer):
    """How many orders at a supplier are under way, of all buyers together; nothing about any of them."""

    supplier_id: UUID
    orders: int
