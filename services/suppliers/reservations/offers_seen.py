"""The offers that reservations ask for, read once and kept for as long as they do not change.

Reading an offer with its item, supplier and variant, and turning it into what the rules take, costs more than all
else on the hot path. So every flush asks only which offers each buyer sees and in which version; an offer whose
version is known is not read again. Nothing stale is ever used: the version is asked for every time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.suppliers.blacklists.blocking import Blacklist, ListsKept, Subject
from services.suppliers.offers.declared import goods_of, surcharges
from services.suppliers.offers.rules import Standing, Terms, Tier, paper_ends_of
from services.suppliers.register.queries import register_now
from services.suppliers.register.rules import NOTHING, Register
from services.suppliers.reservations.rules import StockKey
from services.suppliers.spaces.queries import OPEN_NOW, REACH_OF_OFFER
from shared.arrays import array, quoted

_KEPT_AT_MOST = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferSeen:
    """One version of an offer, ready for the rules and for the answer."""

    version: str
    terms: Terms
    standing: Standing
    supplier_id: UUID
    subject: Subject
    """By what a blacklist may name the supplier."""
    stock_key: StockKey | None
    """None: made to order."""
    told: bytes
    """What every line of this offer says alike in the answer: JSON members without braces."""
    columns: tuple[str, str, str, str]
    """Supplier, offer, item and stock point as elements of array literals."""


# The row versions (xmin) of offer, item and supplier tell a change without relying on anybody to count it. What is
# known of a variant never changes.
# An offer's own keys follow its reach in batches: both are asked, so nobody reserves what was narrowed meanwhile.
_VERSIONS = text(
    f"""
    SELECT (SELECT version FROM register_version) AS register,
        (SELECT jsonb_object_agg(owner_id, version) FROM blacklist_versions
            WHERE owner_id = ANY (CAST(:owners AS uuid[]))) AS lists,
        array_agg(CAST(w.number AS integer)) FILTER (WHERE w.version = n.version) AS known,
        array_agg(CAST(w.number AS integer)) FILTER (WHERE w.version <> n.version) AS news
    FROM unnest(CAST(:viewers AS integer[]), CAST(:offers AS uuid[]), CAST(:versions AS text[]))
        WITH ORDINALITY AS w (viewer, offer_id, version, number)
    JOIN unnest(CAST(:viewer_keys AS text[])) WITH ORDINALITY AS v (keys, number) ON v.number = w.viewer
    JOIN offers o ON o.id = w.offer_id AND o.audience_keys && string_to_array(v.keys, ',')
    JOIN items i ON i.supplier_id = o.supplier_id AND i.item_no = o.item_no
    JOIN suppliers s ON s.company_id = o.supplier_id
    LEFT JOIN offer_reaches r ON {REACH_OF_OFFER}
    CROSS JOIN LATERAL (SELECT concat_ws('/', o.xmin, i.xmin, s.xmin)) AS n (version)
    WHERE {OPEN_NOW} && string_to_array(v.keys, ',')
    """
)

_OFFERS = text(
    """
    SELECT concat_ws('/', o.xmin, i.xmin, s.xmin) AS version,
        o.supplier_id, o.id, o.item_no, o.stock_point, o.price, o.currency, o.tax_inclusive, o.tax_rate, o.unit,
        o.unit_factor, o.min_quantity, o.step_quantity, o.lead_time_days, o.regions, o.valid_from, o.valid_until,
        o.tiers, o.freight, CASE WHEN i.status = 'PUBLISHED' THEN o.status ELSE 'WITHDRAWN' END AS status,
        o.standard, i.type_code, k.snapshot, i.variant_id, i.variant_key, i.category, i.name_zh, i.name_en, i.brand,
        s.name AS supplier_name, s.tax_id AS supplier_tax_id, s.status = 'QUALIFIED' AS qualified,
        s.categories, s.regions AS supplier_regions, s.qualified_until, s.paper_ends, s.representative_hash,
        k.base_unit, k.base_decimals, k.unit_factors, k.unit_decimals, k.spec_hash
    FROM offers o
    JOIN items i ON i.supplier_id = o.supplier_id AND i.item_no = o.item_no
    JOIN suppliers s ON s.company_id = o.supplier_id
    JOIN known_variants k ON k.key = i.variant_key
    WHERE o.id = ANY (CAST(:offers AS uuid[]))
    """
)


OfferNumber = int
"""`UUID.int` of an offer's id: these keys are looked up several times a line, and UUIDs compare in Python."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What was asked for: offers by viewer, what the registers say, and the blacklists by their owner."""

    offers: dict[frozenset[str], dict[OfferNumber, OfferSeen]]
    register: Register
    lists: Mapping[UUID, Blacklist]


class OffersSeen:
    """A process's memory of offers."""

    def __init__(self) -> None:
        self._kept: dict[OfferNumber, OfferSeen] = {}
        self._register: tuple[int, Register] = (-1, NOTHING)
        self._lists = ListsKept()

    async def visible(
        self,
        connection: AsyncConnection,
        *,
        asked: Mapping[frozenset[str], Iterable[OfferNumber]],
        list_owners: Iterable[UUID] = (),
    ) -> Seen:
        """For each viewer, by the keys they hold (`shared.audience`), those of the asked offers that they see; and
        the blacklists of `list_owners`."""
        viewers = list(asked)
        pairs = [(viewer, offer) for viewer in viewers for offer in asked[viewer]]
        numbers = {viewer: str(number) for number, viewer in enumerate(viewers, 1)}
        kept = [self._kept.get(offer) for _, offer in pairs]
        versions = await connection.execute(
            _VERSIONS,
            {
                "viewers": array(numbers[viewer] for viewer, _ in pairs),
                "offers": array(f"{offer:032x}" for _, offer in pairs),
                "versions": array("-" if seen is None else seen.version for seen in kept),
                "viewer_keys": array(quoted(",".join(sorted(viewer))) for viewer in viewers),
                "owners": array(map(str, list_owners)),
            },
        )
        row = versions.one()
        found: dict[frozenset[str], dict[OfferNumber, OfferSeen]] = {viewer: {} for viewer in viewers}
        for place in row.known or ():
            viewer, offer = pairs[place - 1]
            if (seen := kept[place - 1]) is not None:
                found[viewer][offer] = seen
        news = [pairs[place - 1] for place in row.news or ()]
        learned = await self._learn(connection, {offer for _, offer in news})
        for viewer, offer in news:
            if offer in learned:
                found[viewer][offer] = learned[offer]
        return Seen(
            offers=found,
            register=await self._register_of(connection, row.register),
            lists=await self._lists.of(connection, versions=row.lists) if row.lists else {},
        )

    async def _register_of(self, connection: AsyncConnection, version: int) -> Register:
        """What the registers say, read again when their version is another. It may be newer than that: never older."""
        if self._register[0] != version:
            self._register = (version, await register_now(connection))
        return self._register[1]

    async def _learn(self, connection: AsyncConnection, offers: set[OfferNumber]) -> dict[OfferNumber, OfferSeen]:
        if not offers:
            return {}
        rows = await connection.execute(_OFFERS, {"offers": array(f"{offer:032x}" for offer in offers)})
        learned = {row.id.int: _seen(row) for row in rows}
        if len(self._kept) + len(learned) > _KEPT_AT_MOST:
            self._kept.clear()
        self._kept |= learned
        return learned


def _seen(row: Any) -> OfferSeen:
    stock_key = None if row.stock_point is None else (str(row.supplier_id), row.item_no, row.stock_point)
    told = {
        "offer_id": row.id,
        "supplier_id": row.supplier_id,
        "supplier_name": row.supplier_name,
        "supplier_tax_id": row.supplier_tax_id,
        "item_no": row.item_no,
        "stock_point": row.stock_point,
        "variant_id": row.variant_id,
        "variant_key": row.variant_key,
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "brand": row.brand,
        "spec_hash": row.spec_hash,
        "price_unit": row.unit,
        "base_unit": row.base_unit,
        "base_decimals": row.base_decimals,
        "currency": row.currency,
        "tax_rate": str(row.tax_rate),
        "tax_inclusive": row.tax_inclusive,
        "lead_time_days": row.lead_time_days,
    }
    return OfferSeen(
        version=row.version,
        terms=_terms(row),
        standing=Standing(
            qualified=row.qualified,
            categories=frozenset(row.categories),
            regions=tuple(row.supplier_regions),
            until=row.qualified_until,
            paper_ends=paper_ends_of(row.paper_ends),
        ),
        supplier_id=row.supplier_id,
        subject=Subject(
            supplier_id=row.supplier_id,
            tax_id=row.supplier_tax_id,
            representative_hash=None if row.representative_hash is None else bytes(row.representative_hash),
        ),
        stock_key=stock_key,
        told=orjson.dumps(told)[1:-1],
        columns=(str(row.supplier_id), str(row.id), quoted(row.item_no), quoted(row.stock_point)),
    )


def _terms(row: Any) -> Terms:
    return Terms(
        status=row.status,
        category=row.category,
        price=row.price,
        currency=row.currency,
        unit=row.unit,
        unit_factor=row.unit_factor,
        min_quantity=row.min_quantity,
        step_quantity=row.step_quantity,
        tiers=tuple(
            Tier(min_quantity=Decimal(tier["min_quantity"]), price=Decimal(tier["price"])) for tier in row.tiers
        ),
        lead_time_days=row.lead_time_days,
        regions=tuple(row.regions),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        base_unit=row.base_unit,
        base_decimals=row.base_decimals,
        unit_factors={unit: Decimal(factor) for unit, factor in row.unit_factors.items()},
        unit_decimals=row.unit_decimals,
        freight=surcharges(row.freight),
        goods=goods_of(row.standard, row.type_code, row.snapshot),
    )
