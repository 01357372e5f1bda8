"""Items, offers and what they rest on. A buyer's view names its visibility; the database asks it again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from services.suppliers.inventory.tables import StockLevel
from services.suppliers.offers.declared import goods_of, surcharges
from services.suppliers.offers.rules import Terms, Tier
from services.suppliers.offers.tables import Item, KnownVariant, Offer
from services.suppliers.onboarding.queries import suppliers_by_id
from services.suppliers.onboarding.tables import Supplier
from services.suppliers.register.rules import Goods, Register
from services.suppliers.spaces.queries import OPEN_NOW, REACH_OF_OFFER
from shared.database import scope_to
from shared.designations import edition_key


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """An offer with its item, its variant, its supplier and the stock it is served from."""

    offer: Offer
    item: Item
    variant: KnownVariant
    supplier: Supplier
    stock: StockLevel | None

    @property
    def available(self) -> Decimal | None:
        """What can be promised, in base units; None for what is made to order."""
        if self.offer.stock_point is None:
            return None
        return Decimal(0) if self.stock is None else self.stock.available

    @property
    def goods(self) -> Goods:
        """What the registers are asked about."""
        return goods_of(self.offer.standard, self.item.type_code, self.variant.snapshot)

    @property
    def terms(self) -> Terms:
        """What the rules ask of an offer."""
        return Terms(
            status=self.offer.status if self.item.status == "PUBLISHED" else "WITHDRAWN",
            category=self.item.category,
            price=self.offer.price,
            currency=self.offer.currency,
            unit=self.offer.unit,
            unit_factor=self.offer.unit_factor,
            min_quantity=self.offer.min_quantity,
            step_quantity=self.offer.step_quantity,
            tiers=tuple(
                Tier(min_quantity=Decimal(tier["min_quantity"]), price=Decimal(tier["price"]))
                for tier in self.offer.tiers
            ),
            lead_time_days=self.offer.lead_time_days,
            regions=tuple(self.offer.regions),
            valid_from=self.offer.valid_from,
            valid_until=self.offer.valid_until,
            base_unit=self.variant.base_unit,
            base_decimals=self.variant.base_decimals,
            unit_factors={unit: Decimal(factor) for unit, factor in self.variant.unit_factors.items()},
            unit_decimals=self.variant.unit_decimals,
            freight=surcharges(self.offer.freight),
            goods=self.goods,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspects:
    """Editions as offers write them, and types, that some entry of the registers is about."""

    standards: Collection[str]
    type_codes: Collection[str]


async def suspects_of(session: AsyncSession, *, supplier_id: UUID, register: Register) -> Suspects:
    """Where a supplier's offers may need an update."""
    stated = await session.scalars(
        select(Offer.standard).where(col(Offer.supplier_id) == supplier_id, col(Offer.standard).is_not(None)).distinct()
    )
    return Suspects(
        standards=[each for each in stated if each is not None and edition_key(each) in register.withdrawn],
        type_codes=sorted({*register.restrictions, *register.deprecated}),
    )


async def item_with_variant(
    session: AsyncSession, *, supplier_id: UUID, item_no: str
) -> tuple[Item, KnownVariant] | None:
    """One item and what is known of its variant."""
    found = await session.execute(
        select(Item, KnownVariant)
        .join(KnownVariant, col(KnownVariant.key) == col(Item.variant_key))
        .where(col(Item.supplier_id) == supplier_id, col(Item.item_no) == item_no)
    )
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


async def own_offer_for_update(session: AsyncSession, *, supplier_id: UUID, offer_id: UUID) -> Offer | None:
    """A supplier's own offer, locked."""
    return await session.get(Offer, (supplier_id, offer_id), with_for_update=True)


async def own_listings_page(
    session: AsyncSession,
    *,
    supplier_id: UUID,
    item_no: str | None,
    status: str | None,
    suspects: Suspects | None = None,
    after: tuple[UUID] | None,
    limit: int,
) -> list[Listing]:
    """A supplier's own offers in the order they were made; with `suspects` those the registers may speak against."""
    query = select(Offer).where(col(Offer.supplier_id) == supplier_id)
    if suspects is not None:
        of_types = select(Item.item_no).where(
            col(Item.supplier_id) == supplier_id, col(Item.type_code).in_(suspects.type_codes)
        )
        query = query.where(
            col(Offer.standard).in_(suspects.standards) | col(Offer.item_no).in_(of_types),
            col(Offer.status) == "ACTIVE",
        )
    if item_no is not None:
        query = query.where(col(Offer.item_no) == item_no)
    if status is not None:
        query = query.where(col(Offer.status) == status)
    if after is not None:
        query = query.where(col(Offer.id) > after[0])
    offers = (await session.execute(query.order_by(col(Offer.id)).limit(limit))).scalars().all()
    return await _listings(session, offers)


async def own_listing(session: AsyncSession, *, supplier_id: UUID, offer_id: UUID) -> Listing | None:
    """A supplier's own offer with all it rests on."""
    offer = await session.get(Offer, (supplier_id, offer_id), populate_existing=True)
    return None if offer is None else (await _listings(session, [offer]))[0]


async def visible_listings(
    session: AsyncSession, *, offer_ids: Collection[UUID], viewer: frozenset[str], viewer_id: UUID | None
) -> dict[UUID, Listing]:
    """Those of the offers whose audience the viewer belongs to, with their stock.

    An offer's own keys follow its reach in batches; both are asked, so that nobody sees what was narrowed meanwhile.

    The transaction sees other suppliers' items and stock from here on, of exactly the suppliers of these offers.
    """
    keys = sorted(viewer)
    await session.execute(text("SELECT set_config('app.viewer_keys', :keys, true)"), {"keys": ",".join(keys)})
    found = await session.execute(
        select(Offer)
        .where(col(Offer.id).in_(list(offer_ids)), text("offers.audience_keys && CAST(:keys AS text[])"))
        .params(keys=keys)
    )
    offers = found.scalars().all()
    if not offers:
        return {}
    own = () if viewer_id is None else (viewer_id,)
    await scope_to(session, *own, *{offer.supplier_id for offer in offers})
    still_open = set(await session.scalars(_STILL_OPEN, {"offers": [offer.id for offer in offers], "keys": keys}))
    shown = [offer for offer in offers if offer.id in still_open]
    await scope_to(session, *own, *{offer.supplier_id for offer in shown})
    return {listing.offer.id: listing for listing in await _listings(session, shown)}


_STILL_OPEN = text(
    f"""
    SELECT o.id FROM offers o
    JOIN items i ON i.supplier_id = o.supplier_id AND i.item_no = o.item_no
    LEFT JOIN offer_reaches r ON {REACH_OF_OFFER}
    WHERE o.id = ANY (CAST(:offers AS uuid[])) AND {OPEN_NOW} && CAST(:keys AS text[])
    """
)


async def _listings(session: AsyncSession, offers: Sequence[Offer]) -> list[Listing]:
    if not offers:
        return []
    ids = {"suppliers": [offer.supplier_id for offer in offers], "items": [offer.item_no for offer in offers]}
    named = "unnest(CAST(:suppliers AS uuid[]), CAST(:items AS text[]))"
    items = await session.execute(
        select(Item, KnownVariant)
        .join(KnownVariant, col(KnownVariant.key) == col(Item.variant_key))
        .where(text(f"(items.supplier_id, items.item_no) IN (SELECT * FROM {named})"))
        .params(**ids)
    )
    levels = await session.execute(
        select(StockLevel)
        .where(text(f"(stock_levels.supplier_id, stock_levels.item_no) IN (SELECT * FROM {named})"))
        .params(**ids)
    )
    by_item = {(item.supplier_id, item.item_no): (item, variant) for item, variant in items}
    by_level = {(level.supplier_id, level.item_no, level.stock_point): level for level in levels.scalars()}
    suppliers = await suppliers_by_id(session, supplier_ids={offer.supplier_id for offer in offers})
    return [
        Listing(
            offer=offer,
            item=by_item[offer.supplier_id, offer.item_no][0],
            variant=by_item[offer.supplier_id, offer.item_no][1],
            supplier=suppliers[offer.supplier_id],
            stock=by_level.get((offer.supplier_id, offer.item_no, offer.stock_point or "")),
        )
        for offer in offers
    ]
