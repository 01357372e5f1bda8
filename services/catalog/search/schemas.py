"""Bodies of search and match."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.catalog.search.words import QUERY_AT_MOST
from shared.contracts.catalog import Properties
from shared.contracts.fields import Answer, Body, Currency, Name, QuantityText, RegionCode
from shared.contracts.suppliers import Certificate, Epd

MATCH_LINES_AT_MOST = 500

MatchStatus = Literal["matched", "unavailable", "ambiguous", "unmatched"]

SearchText = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=QUERY_AT_MOST, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]


class TierView(Answer):
    """From this quantity on, in the offer's unit, this price."""

    min_quantity: Decimal = Field(examples=["60"])
    price: Decimal = Field(examples=["3205.00"])


class StockView(Answer):
    """How much is there, in base units."""

    stock_point: str = Field(examples=["通州库"])
    band: Literal["out", "low", "in"] | None = Field(description="None: nothing was told yet.")
    available: Decimal | None = Field(description="Told to members; others see the band alone.", examples=["260"])
    as_of: datetime | None


class MisfitView(Answer):
    """Why an offer does not fit; the codes are those of a reservation's refusals."""

    code: str = Field(examples=["BelowMinimum"])
    detail: str


class AmountsView(Answer):
    """What the quantity asked costs."""

    net: Decimal
    tax: Decimal
    gross: Decimal


class CarbonView(Answer):
    """Embodied carbon A1-A3 and where the number is from. A valid declaration stands before a type's value."""

    kgco2e: Decimal = Field(description="Per base unit.", examples=["1985.4"])
    kind: Literal["epd", "type_factor"]
    source: str = Field(examples=["EPD China EPD-CN-00412"])
    valid_until: date | None = None


class OfferView(Answer):
    """An offer the caller may see, at the price for the quantity asked."""

    offer_id: UUID
    supplier_id: UUID
    supplier_name: str = Field(examples=["江苏北河钢铁贸易有限公司"])
    affiliated_with_operator: bool = Field(description="The supplier belongs to an operator's group.")
    item_no: str = Field(examples=["DEMO-0001"])
    brand: str | None = Field(examples=["北河"])
    unit_price: Decimal = Field(description="Per `unit`, for the quantity asked (the list price if none).")
    freight: Decimal = Field(description="What delivery into the region asked adds per `unit`.", examples=["38.50"])
    landed_price: Decimal = Field(description="Per `unit`, delivered there.", examples=["3243.50"])
    list_price: Decimal
    tiers: list[TierView]
    currency: str = Field(examples=["CNY"])
    tax_inclusive: bool
    tax_rate: Decimal = Field(examples=["0.13"])
    unit: str = Field(examples=["t"])
    unit_factor: Decimal = Field(description="Base units in one `unit`.", examples=["1"])
    min_quantity: Decimal | None
    step_quantity: Decimal | None
    lead_time_days: int = Field(examples=[2])
    regions: list[str] = Field(description="None: wherever the supplier is qualified.", examples=[["11"]])
    valid_from: date
    valid_until: date | None
    stock: StockView | None = Field(description="None: made to order.")
    comparable_price: Decimal = Field(description="Landed, per base unit, with tax: compares all offers.")
    priced_quantity: Decimal | None = Field(description="The quantity asked in `unit`.")
    base_quantity: Decimal | None
    amounts: AmountsView | None
    standard: str | None = Field(description="The edition it is made to.", examples=["GB 1499.2-2024"])
    certificates: list[Certificate]
    epd: Epd | None
    carbon: CarbonView | None
    fits: bool = Field(description="Whether a basket with this line would be taken as asked.")
    misfits: list[MisfitView] = Field(
        description="Every reason against it. A blacklist speaks to those it binds; an entry for single projects is "
        "told by the quote, which knows the project."
    )


class VariantView(Answer):
    """A variant in a hit."""

    id: UUID
    key: str = Field(examples=["RB-HRB|diameter=20,grade=HRB400E,length=12"])
    type_code: str = Field(examples=["RB-HRB"])
    category: str = Field(examples=["rebar"])
    name_zh: str = Field(examples=["热轧带肋钢筋(直条) HRB400E Φ20 12m"])
    name_en: str
    properties: dict[str, str]
    base_unit: str = Field(examples=["t"])
    unit_factors: dict[str, Decimal]
    carbon: Decimal | None = Field(description="kgCO2e A1-A3 in one base unit, typical.")


class PointView(Answer):
    """One part of a score; they add up to it."""

    word: str
    where: str = Field(examples=["value", "name", "synonym", "category", "code", "called so", "length of the name"])
    points: int


class ExplanationView(Answer):
    """Why a hit stands where it does. What is not here has no part in it: payment never has."""

    points: list[PointView] = Field(description="Their sum is `score`.")
    order: list[str] = Field(description="What hits are ordered by, the first first.", examples=[["-score", "price"]])
    values: list[Decimal | None] = Field(description="Of this hit, in that order; none: unknown, stands last.")
    price_offer_id: UUID | None = Field(description="The offer whose comparable price is `price_from`.")


class EquivalentView(Answer):
    """An approved substitute, shown and never applied by itself."""

    variant_id: UUID
    variant_key: str
    name_zh: str
    rule: str
    approved_by: str


class Hit(Answer):
    """A variant with the offers of it that the caller may see."""

    variant: VariantView
    score: int = Field(description="Higher is nearer to the words.")
    near: bool = Field(
        default=False,
        description="Misses something that was asked, such as the cut length; such hits stand behind all others, only "
        "in the order of relevance, and no facet counts them.",
    )
    price_from: Decimal | None = Field(description="The lowest comparable price in the currency asked.")
    lead_time_from: int | None = Field(default=None, description="The shortest lead time in days.")
    carbon_from: Decimal | None = Field(default=None, description="The least kgCO2e per base unit.")
    offers_count: int = Field(description="All offers that count, of which `offers` shows the best.")
    offers: list[OfferView]
    equivalents: list[EquivalentView] = Field(default_factory=list)
    explanation: ExplanationView | None = None


class FacetCount(Answer):
    """How many variants the caller would find with this value."""

    value: str = Field(examples=["20"])
    name: str | None = Field(default=None, description="What people call the value.")
    count: int


class FacetView(Answer):
    """One facet's values among the hits, chosen values of it aside."""

    name: str = Field(examples=["diameter"])
    values: list[FacetCount]
    complete: bool = Field(description="False: the search is so broad that only its first hits were counted.")


class CorrectionView(Answer):
    """A word that means nothing here, and the one that was searched for instead."""

    asked: str = Field(examples=["rebr"])
    taken: str = Field(examples=["rebar"])


class SearchAnswer(Answer):
    """One page of hits."""

    items: list[Hit]
    match: Literal["all", "some"] = Field(
        description="`some`: nothing had every word; these have those in `tokens`, or at least half of them."
    )
    tokens: list[str] = Field(description="The words as they were understood.", examples=[["hrb400e", "φ20", "螺纹"]])
    corrections: list[CorrectionView] = Field(default_factory=list)
    price_order: Literal["landed", "list"] = Field(
        default="landed",
        description="`list`: more variants than can be priced for this quantity and place; they are in the order of "
        "their list prices. Narrow the search to have them by landed price.",
    )
    facets: list[FacetView] = Field(default_factory=list)


SuggestionKind = Literal["type", "variant", "code"]


class Suggestion(Answer):
    """What may be meant, and what to ask for then."""

    kind: SuggestionKind
    text: str = Field(examples=["热轧带肋钢筋(直条) HRB400E Φ20 12m"])
    detail: str = Field(examples=["RB-HRB"])
    query: dict[str, str] = Field(description="Parameters of a search for it.", examples=[{"type": "RB-HRB"}])


class SuggestAnswer(Answer):
    """The likeliest first."""

    items: list[Suggestion]


class ComparedProperty(Answer):
    """One property across everything compared, in its order; none: it does not have it."""

    key: str = Field(examples=["diameter"])
    name_zh: str
    name_en: str
    unit: str | None
    values: list[str | None]
    differs: bool


class Compared(Answer):
    """A variant, or an offer of one, beside others."""

    variant: VariantView
    offer: OfferView | None = Field(description="The one asked for, or the variant's best by landed price.")
    offers_count: int = Field(description="Offers of the variant that the caller may see.")
    landed_per_base_unit: Decimal | None = Field(description="With tax.")
    lead_time_days: int | None
    carbon: CarbonView | None
    certificates: list[Certificate]
    equivalents: list[EquivalentView] = Field(default_factory=list)


class CompareAnswer(Answer):
    """Side by side, in the order asked: variants first, then offers."""

    items: list[Compared]
    properties: list[ComparedProperty]
    currency: str


class MatchLine(Body):
    """One line of a material list: a code, words, properties, or any of them together."""

    code: Code | None = Field(
        default=None,
        description="A variant key, a type code, or a code of another system.",
        examples=["RB-HRB"],
    )
    text: SearchText | None = Field(default=None, examples=["钢筋 三级抗震 Φ20 12米"])
    properties: Properties | None = None
    quantity: QuantityText
    unit: Name = Field(examples=["吨"])
    region: RegionCode | None = None
    need_by: date | None = None


class MatchRequest(Body):
    """A material list."""

    lines: list[MatchLine] = Field(min_length=1, max_length=MATCH_LINES_AT_MOST)
    region: RegionCode | None = Field(default=None, description="For lines that name none.")
    currency: Currency = "CNY"
    candidates: int = Field(default=5, ge=1, le=20, description="At most so many per line.")
    offers: int = Field(default=5, ge=1, le=50, description="At most so many per candidate.")


class ReasonView(Answer):
    """Why a candidate has its score, or what the line must still say."""

    code: str = Field(examples=["Read", "Missing", "NotOffered", "UnitNotConvertible", "NotRead"])
    detail: str
    property: str | None = None


class Candidate(Answer):
    """A variant that may be meant."""

    variant: VariantView | None = Field(description="None: a valid variant that nobody has used yet.")
    variant_key: str
    name_zh: str
    name_en: str
    score: Decimal = Field(description="0.45 attributes + 0.25 name + 0.15 unit + 0.15 offered.", examples=["0.97"])
    complete: bool = Field(description="The line states every value that makes this variant.")
    reasons: list[ReasonView]
    offers_count: int
    offers: list[OfferView] = Field(description="Those that fit first, then by price.")


class MatchedLine(Answer):
    """One line's answer, in the order asked."""

    line: int = Field(description="Place in the request, from 0.")
    status: MatchStatus = Field(
        description="`matched`: one variant is meant and an offer of it fits; `unavailable`: one is meant and no offer "
        "fits; `ambiguous`: the line leaves open which; `unmatched`: nothing was understood or its unit does not fit."
    )
    unit: str | None = Field(description="The unit as understood.")
    candidates: list[Candidate]
    problems: list[ReasonView] = Field(description="Why there are no candidates, or what was not understood.")


class MatchAnswer(Answer):
    """One result a line."""

    lines: list[MatchedLine]
