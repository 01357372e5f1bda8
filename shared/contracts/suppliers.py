"""What `suppliers` says to other services, to the command line and to ERPs: offers, stock, quotes, syncs."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Answer, Body, Currency, Name, QuantityText, RegionCode

SUPPLIER_CHANGED = "dev.dougong.suppliers.supplier.changed.v1"
OFFERS_CHANGED = "dev.dougong.suppliers.offers.changed.v1"
OFFERS_REPRICED = "dev.dougong.suppliers.offers.repriced.v1"
ADMISSION_CHANGED = "dev.dougong.suppliers.admission.changed.v1"
CONSENT_CHANGED = "dev.dougong.suppliers.consent.changed.v1"
OFFERS_NEED_UPDATE = "dev.dougong.suppliers.offers.needs_update.v1"
STOCK_CHANGED = "dev.dougong.suppliers.stock.changed.v1"
INVITATION_ACCEPTED = "dev.dougong.suppliers.invitation.accepted.v1"
APPLICATION_CHANGED = "dev.dougong.suppliers.application.changed.v1"
DOCUMENT_EXPIRING = "dev.dougong.suppliers.document.expiring.v1"

EVENT_ROWS_AT_MOST = 500
"""Offers or stock levels in one event."""

StockBand = Literal["out", "low", "in"]


class TierState(Answer):
    """From this quantity on, in the offer's unit, this price."""

    min_quantity: Decimal = Field(examples=["60"])
    price: Decimal = Field(examples=["3205.00"])


CertificateKind = Literal["ccc", "green_product", "production_permit", "test_report", "iso9001", "hygiene"]


class Freight(Answer):
    """What delivery into a region costs beside the price. The longest region that holds the place wins."""

    region: RegionCode = Field(examples=["11"])
    price: Decimal = Field(description="Per price unit, in the offer's own tax basis.", examples=["28.00"])


class Certificate(Answer):
    """A paper the supplier states to have for the goods."""

    kind: CertificateKind
    number: str = Field(examples=["2024010101000123"])
    issuer: str = Field(examples=["CQC"])
    valid_until: date | None = Field(default=None, description="The last day; none: without end.")


class Epd(Answer):
    """An environmental product declaration (ISO 14025, EN 15804)."""

    number: str = Field(examples=["EPD-CN-00123"])
    programme: str = Field(examples=["EPD China"])
    kgco2e: Decimal = Field(description="A1-A3, per base unit.", examples=["2310.5"])
    valid_until: date


class OfferState(Answer):
    """One offer as it stands now."""

    offer_id: UUID
    supplier_id: UUID
    item_no: str = Field(examples=["HRB400E-20-12"])
    variant_id: UUID
    variant_key: str = Field(examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"])
    type_code: str = Field(examples=["RB-HRB"])
    category: str = Field(examples=["rebar"])
    brand: str | None = None
    price: Decimal = Field(examples=["3253.00"])
    currency: str = Field(examples=["CNY"])
    tax_inclusive: bool
    tax_rate: Decimal = Field(examples=["0.13"])
    unit: str = Field(examples=["t"])
    unit_factor: Decimal = Field(description="Base units in one offer unit.", examples=["1"])
    base_unit: str = Field(examples=["t"])
    min_quantity: Decimal | None = None
    step_quantity: Decimal | None = None
    lead_time_days: int = Field(examples=[2])
    regions: list[str] = Field(description="GB/T 2260; none: wherever the supplier is qualified.", examples=[["11"]])
    valid_from: date
    valid_until: date | None = Field(default=None, description="The last day.")
    audience_keys: list[str] = Field(description="Who holds one of them sees the offer (`shared.audience`).")
    tiers: list[TierState] = Field(default_factory=list)
    status: Literal["ACTIVE", "WITHDRAWN"]
    stock_point: str | None = Field(default=None, description="None: made to order.", examples=["main"])
    standard: str | None = Field(
        default=None, description="The edition the goods are made to.", examples=["GB 1499.2-2024"]
    )
    freight: list[Freight] = Field(
        default_factory=list, description="None for a place: the price is a delivered one there."
    )
    certificates: list[Certificate] = Field(default_factory=list)
    epd: Epd | None = None


class OffersChanged(Answer):
    """dev.dougong.suppliers.offers.changed.v1"""

    supplier_id: UUID
    offers: list[OfferState]


class OffersRepriced(Answer):
    """dev.dougong.suppliers.offers.repriced.v1: of these offers only the price changed, their tiers did not.

    A price list of a million rows would otherwise repeat every term of every offer.
    """

    supplier_id: UUID
    prices: dict[UUID, Decimal] = Field(description="The new price by offer.")


class OffersNeedUpdate(Answer):
    """dev.dougong.suppliers.offers.needs_update.v1: a register speaks against offers of this supplier, now or from a
    day on; the offers themselves say which and why."""

    supplier_id: UUID


class StockState(Answer):
    """One stock level as it stands now, in base units."""

    item_no: str
    stock_point: str
    on_hand: Decimal
    available: Decimal
    band: StockBand
    as_of: datetime


class StockChanged(Answer):
    """dev.dougong.suppliers.stock.changed.v1"""

    supplier_id: UUID
    stock: list[StockState]


class SupplierChanged(Answer):
    """dev.dougong.suppliers.supplier.changed.v1"""

    supplier_id: UUID
    name: str
    tax_id: str
    status: Literal["REGISTERED", "QUALIFIED", "SUSPENDED", "EXITED"]
    categories: list[str] = Field(description="Those in which nothing stops new business: no needed paper has ended.")
    regions: list[str]
    qualified_until: date | None
    level: str | None = None
    affiliated_with_operator: bool = False
    version: int


class InvitationAccepted(Answer):
    """dev.dougong.suppliers.invitation.accepted.v1: a supplier came in on a contractor's invitation.

    `group_id` is the contractor group that invited: what it admits the supplier for is its own decision.
    """

    invitation_id: UUID
    group_id: UUID
    company_id: UUID = Field(description="The company of the group that invited.")
    supplier_id: UUID
    categories: list[str]


class ApplicationChanged(Answer):
    """dev.dougong.suppliers.application.changed.v1: an application for qualification moved on."""

    supplier_id: UUID
    application_id: UUID
    state: str
    categories: list[str]


class DocumentExpiring(Answer):
    """dev.dougong.suppliers.document.expiring.v1: once for each step, 60, 30, 7 and 0 days before new business stops.

    `subject` says what ends: a `paper`, the `qualification`, or (re-verification is due) the `identity`.
    """

    supplier_id: UUID
    subject: Literal["paper", "qualification", "identity"]
    subject_id: UUID
    kind: str = Field(description="The paper's kind; of the others, the subject again.", examples=["production_permit"])
    categories: list[str] = Field(description="What the paper is for; none: everything.")
    ends_on: date = Field(description="The last day.")
    step: Literal[60, 30, 7, 0] = Field(description="Days left at most, counted to the first day without it.")


class AdmissionChanged(Answer):
    """dev.dougong.suppliers.admission.changed.v1: whether a contractor group buys from a supplier in a category."""

    admission_id: UUID
    group_id: UUID
    supplier_id: UUID
    category: str
    status: Literal["ADMITTED", "SUSPENDED", "LAPSED", "ENDED"]
    until: date | None = Field(description="The last day.")
    recognised_from: UUID | None = Field(description="The group whose decision it relies on.")


class ConsentChanged(Answer):
    """dev.dougong.suppliers.consent.changed.v1: a supplier let others read of its record, or takes that back."""

    consent_id: UUID
    supplier_id: UUID
    what: list[str]
    audience: Literal["ORG", "CIRCLE", "MEMBERS"]
    to_id: UUID | None
    until: date
    revoked: bool


class QuoteLine(Body):
    """What is asked for."""

    offer_id: UUID
    quantity: QuantityText
    unit: Name = Field(examples=["t"])
    need_by: date | None = None


class QuoteRequest(Body):
    """Would these lines fit, and at which price?"""

    lines: list[QuoteLine] = Field(min_length=1, max_length=1000)
    region: RegionCode | None = None
    project_id: UUID | None = Field(default=None, description="What it is for; a blacklist may speak of projects.")
    currency: Currency = "CNY"


class QuoteReason(Answer):
    """Why a line does not fit; the codes are those of the reservation's refusals."""

    code: str = Field(examples=["BelowMinimum"])
    detail: str
    field: str = Field(examples=["quantity"])


class QuotedLine(Answer):
    """One line's answer, in the order asked. The price members are there when it fits but for stock."""

    offer_id: UUID
    fits: bool
    reasons: list[QuoteReason] = Field(default_factory=list)
    supplier_id: UUID | None = None
    supplier_name: str | None = None
    item_no: str | None = None
    variant_key: str | None = None
    name_zh: str | None = None
    name_en: str | None = None
    brand: str | None = None
    quantity: Decimal
    unit: str
    priced_quantity: Decimal | None = None
    price_unit: str | None = None
    base_quantity: Decimal | None = None
    base_unit: str | None = None
    unit_price: Decimal | None = Field(default=None, description="With the freight into the asked region.")
    freight: Decimal | None = Field(default=None, description="What of the unit price is freight.")
    currency: str | None = None
    tax_rate: Decimal | None = None
    tax_inclusive: bool | None = None
    net: Decimal | None = None
    tax: Decimal | None = None
    gross: Decimal | None = None
    available: Decimal | None = Field(default=None, description="In base units; none: made to order.")
    promised_by: date | None = None


class QuoteTotals(Answer):
    """The sums of the lines that fit."""

    net: Decimal
    tax: Decimal
    gross: Decimal


class QuoteAnswer(Answer):
    """Prices are those of this moment; only a reservation holds them."""

    lines: list[QuotedLine]
    totals: QuoteTotals
    fits: bool = Field(description="Whether every line fits.")


class SyncProblemRow(Answer):
    """A row that was rejected, or taken with a warning."""

    row: int = Field(
        description="As a spreadsheet counts: the header is row 1. In JSON the first object is row 1.", examples=[17]
    )
    severity: Literal["rejected", "warning"]
    item_no: str | None
    field: str = Field(examples=["price"])
    code: str = Field(examples=["NotANumber"])
    message: str


class SyncCounts(Answer):
    """Rows; `accepted + unchanged + rejected` is their number. `warned` rows are among the accepted."""

    accepted: int
    unchanged: int
    rejected: int
    warned: int
    zeroed: int = Field(description="Stock levels a full snapshot did not name and that were set to zero.")


class SyncProgress(Answer):
    """How far a job is."""

    phase: Literal["prepare", "rows", "missing", "done"]
    bytes_done: int
    bytes_total: int
    rows_done: int


class SyncGap(Answer):
    """Sequence numbers are missing before this one: send a full snapshot."""

    expected: int
    received: int


class SyncView(Answer):
    """A sync job."""

    id: UUID
    supplier_id: UUID
    state: Literal["RECEIVED", "RUNNING", "COMPLETED", "FAILED", "SKIPPED"]
    mode: Literal["full", "delta"]
    feed: str
    sequence: int | None
    outcome: Literal["unnumbered", "first", "next", "gap", "repeated", "late"] | None = Field(
        description="What the sequence number said. `repeated` and `late` change nothing (state SKIPPED)."
    )
    gap: SyncGap | None
    snapshot_needed: bool = Field(description="Send a full snapshot: numbers of this feed are missing.")
    format: Literal["csv", "ndjson", "json", "xlsx"]
    encoding: str | None
    counts: SyncCounts
    progress: SyncProgress
    warnings: list[str]
    problem: dict[str, Any] | None = Field(description="Why the file was refused; nothing of it was applied then.")
    problems: list[SyncProblemRow] = Field(
        default_factory=list, description="The first rows with remarks; all of them are at `…/problems`."
    )
    created_at: datetime
    finished_at: datetime | None


class SupplierNumbers(Body):
    """Numbers to resolve: USCCs, or old registration numbers of 15 digits."""

    numbers: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(min_length=1, max_length=2000)


class SupplierResolution(Answer):
    """Which supplier a number means today; none when it means none, or two."""

    number: str
    supplier_id: UUID | None
