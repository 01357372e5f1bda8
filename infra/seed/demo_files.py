"""A price and stock file as a dozen suppliers' ERPs would send it: 20,000 rows, invented, the same every time.

Same seed, same day, same bytes. Dates hang on the day the file is made, so that it never goes stale.
"""

import csv
import itertools
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from infra.seed.demo_world import FOLDER, MATERIAL_LIST, Supplier, demo_world, seed_document
from shared.clock import BUSINESS_ZONE

ROWS = 20_000
SEED = 20_261_122
PRICES_FILE = "prices-and-stock.csv"
COLUMNS = (
    "supplier_uscc", "item_no", "variant", "brand", "stock_point", "on_hand", "as_of", "price", "currency",
    "tax_rate", "tax_inclusive", "unit", "min_quantity", "step_quantity", "lead_time_days", "regions",
    "valid_from", "valid_until", "audience",
)  # fmt: skip

STAPLES: Mapping[str, str] = {
    "RB-HRB|diameter=12,grade=HRB400E,length=9": "steel",
    "RB-HRB|diameter=16,grade=HRB400E,length=12": "steel",
    "RB-HRB|diameter=20,grade=HRB400E,length=12": "steel",
    "RB-HRB|diameter=25,grade=HRB400E,length=12": "steel",
    "RB-COIL|diameter=8,grade=HRB400E": "steel",
    "RB-COUPLER|bar_dia=25,joint_grade=I,kind=straight thread 直螺纹": "steel",
    "CN-RMC|slump=180,strength=C30": "concrete",
    "CN-RMC|impermeability=P6,slump=180,strength=C35": "concrete",
    "CN-MOR|form=silo bulk 散装,kind=DM masonry 砌筑,strength=M5": "mortar",
    "CN-MOR|form=silo bulk 散装,kind=DP plaster 抹灰,strength=M10": "mortar",
    "WL-AAC|density=B06,height=240,length=600,strength=A3.5,width=200": "blocks",
    "WL-AAC|density=B06,height=240,length=600,strength=A3.5,width=100": "blocks",
    "ME-PPR|dn=25,series=S3.2": "pipes",
    "ME-UPVC|dn=110,wall=3.2": "pipes",
    "ME-WIRE|colour=red,model=BV,section=2.5": "electrical",
    "ME-CABLE|cores=4x25+1x16,fire=none,model=WDZ-YJY": "electrical",
    "WI-SBS|reinforcement=PY polyester,surface=PE,thickness=4,type=II": "waterproofing",
    "WI-XPS|fire=B1,grade=X250,thickness=50": "waterproofing",
    "DW-FIRE|height=2100,leaf=single,material=steel 钢质,rating=A1.00 乙级,width=1000": "doors",
    "FN-TILE|kind=BIa porcelain 瓷质,size=600x600": "finishes",
}
"""What a mid-rise concrete building always needs: carried by the named supplier, in quantity, for every member."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One line of a supplier's price list."""

    variant: str
    type_code: str
    brand: str
    stock_point: str
    price: Decimal
    staple: bool


def price_book() -> dict[str, dict[str, Any]]:
    """Terms, brands and price parts per component type."""
    return seed_document(FOLDER / "price-book.yaml")


def _variants(type_code: str) -> Iterator[tuple[str, Decimal]]:
    """Every variant the price book knows of a type, by its canonical key, with its list price."""
    entry = price_book()[type_code]
    properties: dict[str, dict[Any, Any]] = entry["properties"]
    for chosen in itertools.product(*(parts.items() for parts in properties.values())):
        price = Decimal(str(entry["terms"]["base"]))
        given = {}
        for key, (value, part) in zip(properties, chosen, strict=True):
            price = price * Decimal(part[1:]) if isinstance(part, str) else price + Decimal(str(part))
            if value != "":
                given[key] = value
        yield f"{type_code}|" + ",".join(f"{key}={given[key]}" for key in sorted(given)), price


@cache
def _assortment(short: str) -> list[Item]:
    """All a supplier could carry: each variant of each brand, in each of its stock points."""
    supplier = demo_world().supplier(short)
    items = []
    for type_code in supplier.items:
        entry = price_book()[type_code]
        points = supplier.stock_points if "stock" in entry["terms"] else [""]
        for variant, price in _variants(type_code):
            staple = STAPLES.get(variant) == supplier.short
            items += [
                Item(
                    variant=variant, type_code=type_code, brand=brand, stock_point=point, price=price, staple=staple
                )
                for brand in entry["brands"]
                for point in points or [""]
            ]  # fmt: skip
    return items


def _quotas(sizes: Sequence[int], shares: Sequence[int], total: int) -> list[int]:
    """`total` split by share, none above its size; what one cannot carry the others do.

    Raises:
        ValueError: there is not enough to choose from.
    """
    if sum(sizes) < total:
        message = f"The price book has {sum(sizes)} rows to choose from, {total} are wanted."
        raise ValueError(message)
    quotas = [0] * len(sizes)
    left = total
    while left:
        open_ = [i for i, size in enumerate(sizes) if quotas[i] < size]
        weight = sum(shares[i] for i in open_)
        for i in open_:
            take = min(sizes[i] - quotas[i], max(1, left * shares[i] // weight))
            take = min(take, total - sum(quotas))
            quotas[i] += take
        left = total - sum(quotas)
    return quotas


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _row(supplier: Supplier, *, number: int, item: Item, chance: random.Random, day: date) -> dict[str, str]:
    terms = price_book()[item.type_code]["terms"]
    spread = Decimal(chance.randint(-25, 25)) / 1000
    low, high = terms.get("stock", (0, 0))
    on_hand = chance.randint(low, high) if not item.staple else high * 4
    first, last = terms["lead"]
    reach = chance.randint(max(1, len(supplier.regions) // 2), len(supplier.regions))
    regions = sorted(chance.sample(supplier.regions, reach))
    weeks, everyone, days = chance.randint(6, 20), chance.randrange(4), chance.randint(first, last)
    if item.staple:
        regions, everyone, days = sorted(supplier.regions), 0, first
    stocked = "stock" in terms
    return {
        "supplier_uscc": supplier.tax_id,
        "item_no": f"{item.type_code.replace('-', '')}-{number:05d}",
        "variant": item.variant,
        "brand": item.brand,
        "stock_point": item.stock_point,
        "on_hand": str(on_hand) if stocked else "",
        "as_of": datetime.combine(day, time(), BUSINESS_ZONE).isoformat() if stocked else "",
        "price": str(max(_cents(item.price * (1 + spread)), Decimal("0.05"))),
        "currency": "CNY",
        "tax_rate": terms.get("tax", "0.13"),
        "tax_inclusive": "true",
        "unit": terms["unit"],
        "min_quantity": terms["min"],
        "step_quantity": terms["step"],
        "lead_time_days": str(days),
        "regions": ";".join(regions),
        "valid_from": day.replace(day=1).isoformat(),
        "valid_until": (day + timedelta(weeks=weeks)).isoformat(),
        "audience": "PUBLIC" if everyone == 1 else "MEMBERS",
    }


def rows(*, day: date, count: int = ROWS, seed: int = SEED) -> Iterator[dict[str, str]]:
    """The file's rows, supplier after supplier, items in the order of their numbers."""
    suppliers = demo_world().suppliers
    assortments = [_assortment(supplier.short) for supplier in suppliers]
    quotas = _quotas([len(items) for items in assortments], [supplier.share for supplier in suppliers], count)
    for supplier, items, quota in zip(suppliers, assortments, quotas, strict=True):
        chance = random.Random(f"{seed}/{supplier.tax_id}")  # noqa: S311 - a demonstration, not a secret
        staples = [number for number, item in enumerate(items) if item.staple]
        others = [number for number, item in enumerate(items) if not item.staple]
        chosen = staples + chance.sample(others, max(0, quota - len(staples)))
        for number in sorted(chosen):
            yield _row(supplier, number=number, item=items[number], chance=chance, day=day)


def write_demo_files(folder: Path, *, day: date, count: int = ROWS, seed: int = SEED) -> dict[str, Path]:
    """Write the price and stock file and the material list that can be ordered from it."""
    folder.mkdir(parents=True, exist_ok=True)
    prices = folder / PRICES_FILE
    with prices.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(day=day, count=count, seed=seed))
    materials = folder / MATERIAL_LIST.name
    shutil.copyfile(MATERIAL_LIST, materials)
    return {"prices": prices, "materials": materials}
