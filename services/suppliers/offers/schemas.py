"""Bodies of listings and offers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from services.suppliers.offers.rules import CERTIFICATES_AT_MOST, FREIGHT_AT_MOST, TIERS_AT_MOST, significant
from shared.audience import Audience
from shared.contracts.catalog import VariantReference
from shared.contracts.fields import (
    Answer,
    Body,
    CalendarDate,
    Currency,
    ExactDecimal,
    Name,
    PriceText,
    RateText,
    RegionCode,
)
from shared.contracts.suppliers import Certificate, CertificateKind, Epd, Freight
from shared.designations import folded

Label = Annotated[Name, Field(max_length=100)]
CarbonText = Annotated[ExactDecimal, Field(gt=0, max_digits=15, decimal_places=6, examples=["2310.5"])]
LotText = Annotated[ExactDecimal, Field(gt=0, max_digits=15, decimal_places=3, examples=["10"])]


class TierBody(Body):
    """From this quantity on, in the offer's unit, this price."""

    min_quantity: LotText
    price: PriceText


class FreightBody(Body):
    """What delivery into a region costs per price unit, in the offer's own tax basis."""

    region: RegionCode
    price: PriceText


class CertificateBody(Body):
    """A paper for the goods."""

    kind: CertificateKind
    number: Label
    issuer: Name
    valid_until: CalendarDate | None = None


class EpdBody(Body):
    """An environmental product declaration."""

    number: Label
    programme: Name
    kgco2e: CarbonText = Field(description="A1-A3, per base unit.")
    valid_until: CalendarDate


def _one_a_place(freight: list[FreightBody]) -> list[FreightBody]:
    if len({significant(entry.region) for entry in freight}) < len(freight):
        message = "a region stands twice (110000 is 11)"
        raise ValueError(message)
    return freight


def _one_a_number(certificates: list[CertificateBody]) -> list[CertificateBody]:
    if len({(entry.kind, entry.number) for entry in certificates}) < len(certificates):
        message = "a certificate stands twice"
        raise ValueError(message)
    return certificates


Freights = Annotated[list[FreightBody], Field(max_length=FREIGHT_AT_MOST), AfterValidator(_one_a_place)]
Certificates = Annotated[list[CertificateBody], Field(max_length=CERTIFICATES_AT_MOST), AfterValidator(_one_a_number)]
Standard = Annotated[
    str,
    BeforeValidator(lambda value: folded(value) if isinstance(value, str) else value),
    StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
    Field(examples=["GB 1499.2-2024"]),
]
"""An edition: number and year, as `shared.designations.folded` writes it; a file's cells are folded alike."""


class OfferTerms(Body):
    """What an offer says. Quantities count in `unit`, prices are per `unit`."""

    stock_point: Label | None = Field(default=None, description="None: made to order.", examples=["main"])
    price: PriceText
    currency: Currency = "CNY"
    tax_inclusive: bool = Field(description="Whether the price contains the tax.")
    tax_rate: RateText
    unit: Name = Field(examples=["t"])
    min_quantity: LotText | None = None
    step_quantity: LotText | None = None
    tiers: list[TierBody] = Field(default_factory=list, max_length=TIERS_AT_MOST)
    lead_time_days: int = Field(default=0, ge=0, le=3650, description="Calendar days from order to delivery.")
    regions: list[RegionCode] = Field(
        default_factory=list, max_length=500, description="None: wherever the supplier is qualified."
    )
    valid_from: CalendarDate | None = Field(default=None, description="None: today.")
    valid_until: CalendarDate | None = Field(default=None, description="The last day; none: until withdrawn.")
    audience: Audience = Audience.MEMBERS
    audience_ids: list[UUID] = Field(
        default_factory=list,
        max_length=500,
        description="Companies (PARTIES), groups (ORG) or circles (CIRCLE) the offer is for.",
    )
    standard: Standard | None = Field(default=None, description="The edition the goods are made to.")
    freight: Freights = Field(
        default_factory=list,
        description="Surcharges by region of delivery; the longest region that holds the place wins. Where none does, "
        "the price is a delivered one.",
    )
    certificates: Certificates = Field(default_factory=list)
    epd: EpdBody | None = None

    @model_validator(mode="after")
    def _audience_is_named(self) -> Self:
        narrow = self.audience in {Audience.PARTIES, Audience.ORG, Audience.CIRCLE}
        if narrow != bool(self.audience_ids):
            message = "audience_ids belong to the audiences PARTIES, ORG and CIRCLE, and those need them"
            raise ValueError(message)
        return self


class NewOffer(OfferTerms):
    """List an item and offer it. A known item keeps its variant; `variant` may be left out then."""

    item_no: Label = Field(examples=["HRB400E-20-12"])
    offer_code: Label = "default"
    brand: Name | None = None
    variant: VariantReference | None = None


class TierView(Answer):
    """From this quantity on, this price."""

    min_quantity: Decimal
    price: Decimal


class UpdateReason(Answer):
    """Why an offer needs an update: the entry of a register that speaks against it, and from which day on."""

    code: Literal["StandardWithdrawn", "ItemRestricted", "TypeDeprecated"]
    detail: str
    since: date


class OfferView(Answer):
    """An offer as its viewer may know it; the supplier itself sees its audience too."""

    id: UUID
    supplier_id: UUID
    supplier_name: str
    affiliated_with_operator: bool = Field(description="The supplier belongs to an operator's group.")
    item_no: str
    offer_code: str
    variant_id: UUID
    variant_key: str
    type_code: str
    category: str
    name_zh: str
    name_en: str
    brand: str | None
    stock_point: str | None
    price: Decimal
    currency: str
    tax_inclusive: bool
    tax_rate: Decimal
    unit: str
    unit_factor: Decimal = Field(description="Base units in one offer unit.")
    base_unit: str
    min_quantity: Decimal | None
    step_quantity: Decimal | None
    tiers: list[TierView]
    lead_time_days: int
    regions: list[str]
    valid_from: date
    valid_until: date | None
    standard: str | None
    freight: list[Freight]
    certificates: list[Certificate]
    epd: Epd | None
    status: Literal["ACTIVE", "WITHDRAWN"]
    needs_update: list[UpdateReason] | None = Field(
        description="For the supplier itself: why orders are, or may be, refused today. Empty: nothing."
    )
    changes_ahead: list[UpdateReason] | None = Field(
        description="For the supplier itself: what will need an update from a day that comes."
    )
    audience: str | None = Field(description="For the supplier itself.")
    audience_ids: list[UUID] | None = Field(description="For the supplier itself.")
    available: Decimal | None = Field(
        description="In base units, for members; none: made to order, or not for the public to know."
    )
    band: Literal["out", "low", "in"] | None = Field(description="None: made to order.")
    as_of: datetime | None = Field(description="When the stock was counted.")
    version: int
    updated_at: datetime
