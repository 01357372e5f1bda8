"""How fast the index of the search is rebuilt: every offer told anew, through the reactions that follow the feed.

The limit is the database copying the same rows into the same empty tables, by one statement each.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks.catalog_world import number_id
from benchmarks.product import Product
from benchmarks.report import number, table
from services.catalog.search import actions
from services.catalog.search.tables import SearchOffer
from shared.contracts.suppliers import EVENT_ROWS_AT_MOST, OFFERS_CHANGED
from shared.database import Database, transaction
from shared.feed import Event

_AIM = 20_000
_EVENTS_IN_A_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """How many offers, and seconds for all of them."""

    offers: int
    seconds: float
    limit_seconds: float


def rebuilt_index(running: Product) -> Rebuilt:
    """Empty the index and fill it again, twice."""
    with psycopg.connect(running.admin_of("catalog"), autocommit=True) as connection:
        connection.execute(f"CREATE UNLOGGED TABLE states AS {_STATES}")
        connection.execute("CREATE INDEX ON states (n)")
        limit = _copied(connection)
        _empty(connection)
        offers, seconds = asyncio.run(_told(running, connection))
        connection.execute("DROP TABLE states")
    running.say(f"  {offers:,} offers rebuilt at {offers / seconds:,.0f}/s, copied at {offers / limit:,.0f}/s")
    return Rebuilt(offers=offers, seconds=seconds, limit_seconds=limit)


def _empty(connection: psycopg.Connection) -> None:
    connection.execute("TRUNCATE search_variants, search_offers")
    connection.execute("CHECKPOINT")


def _copied(connection: psycopg.Connection) -> float:
    """Seconds to copy all variants and offers from tables beside."""
    computed = {"comparable", "price_order"}
    names = sql.SQL(", ").join(sql.Identifier(name) for name in SearchOffer.model_fields if name not in computed)
    connection.execute("CREATE UNLOGGED TABLE kept_variants AS TABLE search_variants")
    connection.execute(sql.SQL("CREATE UNLOGGED TABLE kept_offers AS SELECT {} FROM search_offers").format(names))
    _empty(connection)
    begun = time.monotonic()
    connection.execute("INSERT INTO search_variants SELECT * FROM kept_variants")
    connection.execute(sql.SQL("INSERT INTO search_offers ({0}) SELECT {0} FROM kept_offers").format(names))
    seconds = time.monotonic() - begun
    connection.execute("DROP TABLE kept_variants, kept_offers")
    return seconds


async def _told(running: Product, connection: psycopg.Connection) -> tuple[int, float]:
    """A page of the follower in each transaction; what is told is read beforehand."""
    urls = running.urls("catalog")
    database = Database(app_url=urls.app, system_url=urls.worker, pool_size=1)
    many, seconds = 0, 0.0
    while states := _states(connection, after=many, most=_EVENTS_IN_A_PAGE * EVENT_ROWS_AT_MOST):
        events = [
            Event(
                id=uuid4(),
                source="suppliers",
                type=OFFERS_CHANGED,
                subject="benchmark",
                time=datetime.now(UTC),
                data={"supplier_id": str(number_id(2, 1)), "offers": states[start : start + EVENT_ROWS_AT_MOST]},
                position=f"{many + start + 1}-{many + start + 1}",
            )
            for start in range(0, len(states), EVENT_ROWS_AT_MOST)
        ]
        begun = time.monotonic()
        async with transaction(database.system) as session:
            await actions.offers_changed(session, events=events)
        seconds += time.monotonic() - begun
        many += len(states)
    await database.dispose()
    return many, seconds


def _states(connection: psycopg.Connection, *, after: int, most: int) -> Sequence[dict[str, object]]:
    """The next offers as `suppliers` would tell them."""
    statement = "SELECT state FROM states WHERE n > %s ORDER BY n LIMIT %s"
    return [row[0] for row in connection.execute(statement, [after, most])]


def rebuild_table(rebuilt: Rebuilt) -> str:
    """Beside the limit."""
    rate, limit = rebuilt.offers / rebuilt.seconds, rebuilt.offers / rebuilt.limit_seconds
    return table(
        ["the index rebuilt", "offers", "offers/s"],
        [
            [f"from the feed's reactions (aim {number(_AIM)})", number(rebuilt.offers), number(rate)],
            ["the same rows copied within the database", number(rebuilt.offers), number(limit)],
            ["copied / rebuilt", "", number(limit / rate, 2)],
        ],
    )


_STATES = """
    SELECT row_number() OVER (ORDER BY o.seq) AS n, jsonb_build_object(
        'offer_id', offer_id, 'supplier_id', supplier_id, 'item_no', item_no,
        'variant_id', o.variant_id, 'variant_key', v.variant_key, 'type_code', o.type_code, 'category', o.category,
        'brand', brand, 'price', price::text, 'currency', currency, 'tax_inclusive', tax_inclusive,
        'tax_rate', tax_rate::text, 'unit', unit, 'unit_factor', unit_factor::text, 'base_unit', base_unit,
        'lead_time_days', lead_time_days, 'regions', regions, 'valid_from', valid_from, 'valid_until', valid_until,
        'audience_keys', audience_keys, 'stock_point', stock_point, 'standard', standard, 'status', status,
        'tiers', (SELECT coalesce(jsonb_agg(jsonb_build_object('min_quantity', f::text, 'price', p::text)), '[]')
            FROM unnest(tier_from, tier_price) AS t (f, p)),
        'certificates', certificates, 'epd', epd
    ) AS state
    FROM search_offers o JOIN search_variants v ON v.variant_id = o.variant_id"""
