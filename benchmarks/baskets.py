"""The baskets that are ordered: 20 lines of three suppliers, the same ones in every run."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import orjson
import psycopg

from benchmarks.product import Product
from benchmarks.world import Buyer, World
from shared.clock import business_date, now

SUPPLIERS_PER_ORDER = 3
LINES = 20
COUNT = 4_000
"""Different baskets, the buyers' in turn; a run that places more begins again. A multiple of their number."""


def offers_of(running: Product, world: World) -> dict[str, list[str]]:
    """The ids of all offers by supplier."""
    with psycopg.connect(running.urls("suppliers").worker) as connection:
        rows = connection.execute(
            "SELECT CAST(supplier_id AS text), array_agg(CAST(id AS text) ORDER BY id) FROM offers "
            "WHERE supplier_id = ANY (%s) GROUP BY supplier_id ORDER BY supplier_id",
            [[seller.company_id for seller in world.sellers]],
        ).fetchall()
    return dict(rows)


def write_baskets(world: World, offers: Mapping[str, Sequence[str]], *, hot: bool, file: Path) -> Path:
    """Baskets as JSON, one a line: any lines of any three suppliers; when `hot`, one offer is in all of them."""
    chance = random.Random(20)
    need_by = (business_date(now()) + timedelta(days=60)).isoformat()
    with file.open("wb") as stream:
        for place in range(COUNT):
            buyer = world.buyers[place % len(world.buyers)]
            lines = [
                {"offer_id": offer, "quantity": f"{chance.randint(1, 90)}.5", "unit": "t", "need_by": need_by}
                for offer in _picked(offers, chance, hot=hot)
            ]
            stream.write(_basket(buyer, lines) + b"\n")
    return file


def _picked(offers: Mapping[str, Sequence[str]], chance: random.Random, *, hot: bool) -> list[str]:
    sellers = list(offers)
    first = sellers[0]
    if hot:
        chosen = [first, *chance.sample(sellers[1:], SUPPLIERS_PER_ORDER - 1)]
        picked = {offers[first][0]: None}
    else:
        chosen = chance.sample(sellers, SUPPLIERS_PER_ORDER)
        picked = {}
    while len(picked) < LINES:
        picked[chance.choice(offers[chosen[len(picked) % SUPPLIERS_PER_ORDER]])] = None
    return list(picked)


def _basket(buyer: Buyer, lines: Sequence[Mapping[str, str]]) -> bytes:
    return orjson.dumps(
        {
            "project_id": buyer.project_id,
            "delivery_point_id": buyer.delivery_point_id,
            "currency": "CNY",
            "lines": lines,
        }
    )
