"""What stands in for `suppliers` and `members` in these tests: real behaviour, kept in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson

from shared.clients.transport import ServiceAway, ServiceRefused, ServiceUnknown
from shared.contracts.catalog import CodeMeaning
from shared.contracts.members import CompanyIdentity, TaxId
from shared.contracts.reservations import ReserveBasket, ReservedLine, ReserveResult, ReserveResultPlain
from shared.ids import new_id

BAR = "RB-HRB|diameter=20,grade=HRB400E,length=12"
"""What every offer is of."""


@dataclass(kw_only=True)
class Offer:
    """What a supplier offers, and how much of it there is."""

    supplier_id: UUID
    supplier_name: str = "江苏钢贸有限公司"
    id: UUID = field(default_factory=new_id)
    item_no: str = "R-20"
    name_zh: str = "热轧带肋钢筋"
    price: str = "3253.00"
    unit: str = "t"
    unit_decimals: int = 3
    price_unit: str = "t"
    base_unit: str = "t"
    base_decimals: int = 3
    factor: str = "1"
    currency: str = "CNY"
    tax_rate: str = "0.13"
    tax_inclusive: bool = True
    stock: Decimal = Decimal(1_000_000)
    unreadable: bool = False


class FakeSuppliers:
    """Holds goods like `suppliers`: idempotent by id, all or nothing. Faults can be planted."""

    def __init__(self) -> None:
        self.offers: dict[UUID, Offer] = {}
        self.results: dict[UUID, tuple[bytes, ReserveResult]] = {}
        self.released: list[UUID] = []
        self.calls: list[int] = []
        self.fault: str | None = None
        self.ttl = timedelta(minutes=10)

    def offer(self, **more: Any) -> Offer:
        made = Offer(**{"supplier_id": new_id(), **more})
        self.offers[made.id] = made
        return made

    async def reserve_plain(
        self, *, baskets: Sequence[Mapping[str, Any]], timeout_seconds: float
    ) -> list[ReserveResultPlain]:
        self.calls.append(len(baskets))
        if self.fault == "away":
            raise ServiceAway("suppliers cannot be reached.")
        if self.fault == "lost before":
            raise ServiceUnknown("suppliers did not answer in time.")
        sent = [ReserveBasket.model_validate_json(orjson.dumps(basket)) for basket in baskets]
        results = [self._reserve(basket) for basket in sent]
        if self.fault == "lost after":
            raise ServiceUnknown("suppliers did not answer in time.")
        plain: list[ReserveResultPlain] = [orjson.loads(result.model_dump_json()) for result in results]
        return plain

    async def release(self, *, reservation_ids: Sequence[UUID]) -> None:
        if self.fault == "away on release":
            raise ServiceAway("suppliers cannot be reached.")
        self.released += reservation_ids

    def _reserve(self, basket: ReserveBasket) -> ReserveResult:
        fingerprint = orjson.dumps([(str(line.offer_id), str(line.quantity), line.unit) for line in basket.lines])
        known = self.results.get(basket.reservation_id)
        if known is not None:
            if known[0] == fingerprint:
                return known[1]
            return ReserveResult(reservation_id=basket.reservation_id, outcome="refused", code="ReservationConflict")
        refusals = []
        lines = []
        for line in basket.lines:
            offer = self.offers.get(line.offer_id)
            if offer is None:
                refusals.append((line.line_no, "OfferNotFound", "There is no such offer.", "offer_id"))
            elif offer.unreadable:
                return ReserveResult(
                    reservation_id=basket.reservation_id,
                    outcome="refused",
                    code="BasketUnreadable",
                    detail="What its offers say cannot be read; nothing was held.",
                )
            elif offer.currency != basket.currency:
                refusals.append((line.line_no, "CurrencyMismatch", f"Sold in {offer.currency}.", "offer_id"))
            elif offer.stock < line.quantity:
                refusals.append((line.line_no, "InsufficientStock", f"Only {offer.stock} left.", "quantity"))
            else:
                lines.append(_reserved(offer, line.line_no, line.quantity, line.unit))
        if refusals:
            names = ("line_no", "code", "detail", "field")
            return ReserveResult.model_validate(
                {
                    "reservation_id": basket.reservation_id,
                    "outcome": "refused",
                    "refusals": [dict(zip(names, refusal, strict=True)) for refusal in refusals],
                }
            )
        for held in lines:
            self.offers[held.offer_id].stock -= held.quantity
        result = ReserveResult(
            reservation_id=basket.reservation_id,
            outcome="held",
            state="HELD",
            expires_at=datetime.now(UTC) + self.ttl,
            lines=lines,
        )
        self.results[basket.reservation_id] = (fingerprint, result)
        return result


def _reserved(offer: Offer, line_no: int, quantity: Decimal, unit: str) -> ReservedLine:
    base = quantity * Decimal(offer.factor)
    return ReservedLine(
        line_no=line_no,
        offer_id=offer.id,
        supplier_id=offer.supplier_id,
        supplier_name=offer.supplier_name,
        supplier_tax_id="91320500MA2DEMQ7X8",
        item_no=offer.item_no,
        stock_point="main",
        variant_id=uuid5(NAMESPACE_OID, BAR),
        variant_key=BAR,
        name_zh=offer.name_zh,
        name_en='Hot rolled "ribbed" bar \\ 20',
        brand=None,
        spec_hash="ab" * 32,
        quantity=quantity,
        unit=unit,
        unit_decimals=offer.unit_decimals,
        priced_quantity=quantity if unit == offer.price_unit else base,
        price_unit=offer.price_unit,
        base_quantity=base,
        base_unit=offer.base_unit,
        base_decimals=offer.base_decimals,
        unit_factor=Decimal(offer.factor),
        unit_price=Decimal(offer.price),
        currency=offer.currency,
        tax_rate=Decimal(offer.tax_rate),
        tax_inclusive=offer.tax_inclusive,
        lead_time_days=2,
        promised_by=datetime.now(UTC).date() + timedelta(days=3),
    )


class FakeMembers:
    """Knows every company. A fault can be planted."""

    def __init__(self) -> None:
        self.calls = 0
        self.fault: Exception | None = None

    async def company(self, *, company_id: UUID) -> CompanyIdentity:
        self.calls += 1
        if self.fault is not None:
            raise self.fault
        return CompanyIdentity(
            id=company_id,
            name="示范建工集团有限公司",
            name_zh="示范建工集团有限公司",
            name_en=None,
            tax_id=TaxId(scheme="USCC", country="CN", value="91110000MA4GCAL01D"),
            kinds=["contractor"],
            status="ACTIVE",
        )


class FakeNumbers:
    """Knows which suppliers numbers mean, as it was told."""

    def __init__(self) -> None:
        self.known: dict[str, UUID] = {}

    async def resolve(self, *, numbers: Sequence[str]) -> dict[str, UUID | None]:
        return {number: self.known.get(number) for number in numbers}


class FakeCodes:
    """Knows what codes mean, as it was told; `away` until it is not."""

    def __init__(self) -> None:
        self.known: dict[str, list[CodeMeaning]] = {}
        self.used: list[tuple[UUID, UUID]] = []
        self.away = False
        self.taken_back = False

    def mean(
        self, code: str, *keys: str, category: str = "rebar", relation: str = "exact", owner: UUID | None = None
    ) -> None:
        self.known[code] = [
            CodeMeaning(
                code=code,
                mapping_id=new_id(),
                company_id=owner or new_id(),
                version=1,
                part=part,
                relation=relation,
                variant_id=uuid5(NAMESPACE_OID, key),
                variant_key=key,
                category=category,
            )
            for part, key in enumerate(keys, 1)
        ]

    async def type_categories(self) -> dict[str, str]:
        return {"RB-HRB": "rebar", "DW-FIRE": "doors"}

    async def meanings(
        self, *, company_id: UUID, group_id: UUID | None, codes: Sequence[str]
    ) -> dict[str, list[CodeMeaning]]:
        if self.away:
            raise ServiceAway("catalog cannot be reached.")
        return {code: self.known[code] for code in codes if code in self.known}

    async def mark_used(self, *, company_id: UUID, mapping_ids: Sequence[UUID]) -> None:
        if self.taken_back:
            raise ServiceRefused({"code": "MappingNotFound"}, http_status=404)
        self.used += [(company_id, each) for each in mapping_ids]
