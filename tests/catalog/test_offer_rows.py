"""Offers on their way into the index: whatever a text holds, the table holds the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.catalog.search.offer_rows import _COLUMNS, _FORMAT, _GAP, _NOTHING, array, line, offer_line
from services.catalog.search.tables import SearchOffer
from shared.database import Database, driver_connection, transaction
from tests.catalog.conftest import BAR, Market

CONTROL = [chr(each) for each in range(32) if chr(each) not in "\t\n\r"]
ANYTHING = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=CONTROL),
    max_size=12,
)
ODD = ["\\N", "\\.", "", '"', "\\", "a,b", "{x}", "NULL", "line\nline", "a\n\\.\nb", "'", "钢 筋", "tab\t.", "\r\n"]


async def held(database: Database, offer_id: str) -> Any:
    async with transaction(database.system) as session:
        found = await session.execute(
            text("SELECT * FROM search_offers WHERE offer_id = CAST(:id AS uuid)"), {"id": offer_id}
        )
        return found.one()


@pytest.mark.parametrize("odd", ODD)
async def test_odd_texts_are_kept_as_they_are(market: Market, database: Database, odd: str):
    supplier = market.supplier()
    certificate = {"kind": "green_product", "number": odd, "issuer": odd, "valid_until": None}
    told = await market.offer(supplier, BAR, brand=odd, standard=odd, certificates=[certificate], item_no=odd or "x")
    await market.follow()
    row = await held(database, told["offer_id"])
    assert (row.brand, row.standard, row.item_no) == (odd, odd, odd or "x")
    assert row.certificates == [certificate]


async def test_everything_an_offer_may_have_and_nothing_it_has_not(market: Market, database: Database):
    supplier = market.supplier()
    full = await market.offer(
        supplier,
        BAR,
        regions=["110000", "310115"],
        freight=[{"region": "110105", "price": "12.5"}, {"region": "31", "price": "20"}],
        tiers=[{"min_quantity": "10", "price": "3200"}, {"min_quantity": "60", "price": "3100.5"}],
        epd={"number": "E1", "programme": "EPD China", "kgco2e": "900.5", "valid_until": "2099-01-01"},
        min_quantity="2",
        step_quantity="0.5",
        valid_until="2099-12-31",
    )
    bare = await market.offer(supplier, BAR, available=None, brand=None, freight=None, tiers=[], epd=None)
    await market.follow()
    row = await held(database, full["offer_id"])
    assert (row.regions, row.region_heads) == (["110000", "310115"], ["11", "310115"])
    assert (row.freight_heads, [str(each) for each in row.freight_price]) == (["110105", "31"], ["12.5", "20"])
    assert [(str(a), str(b)) for a, b in zip(row.tier_from, row.tier_price, strict=True)] == [
        ("10", "3200"), ("60", "3100.5"),
    ]  # fmt: skip
    assert (str(row.epd_kgco2e), str(row.epd_until), row.epd["number"]) == ("900.5", "2099-01-01", "E1")
    assert (str(row.min_quantity), str(row.step_quantity), str(row.valid_until)) == ("2.000", "0.500", "2099-12-31")
    row = await held(database, bare["offer_id"])
    assert (row.brand, row.stock_point, row.epd, row.epd_kgco2e, row.min_quantity) == (None,) * 5
    assert (row.tier_from, row.freight_heads, row.certificates) == ([], [], [])


def test_every_column_of_the_table_is_told_or_computed():
    sent = offer_line({"regions": [], "audience_keys": [], **dict.fromkeys(_REQUIRED, "x")}, 7)
    computed = {"comparable", "price_order"}
    assert list(_COLUMNS) == [name for name in SearchOffer.model_fields if name not in computed]
    assert len(sent.split(_GAP)) == len(_COLUMNS)


def test_a_text_never_becomes_two_values():
    with pytest.raises(ValueError, match="control character"):
        line(("a", f"b{_GAP}c"))


_REQUIRED = (
    "supplier_id", "offer_id", "variant_id", "item_no", "type_code", "category", "price", "currency", "tax_inclusive",
    "tax_rate", "unit", "unit_factor", "base_unit", "lead_time_days", "valid_from", "status",
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(st.none() | ANYTHING, st.lists(ANYTHING, max_size=4)), min_size=1, max_size=5))
async def test_any_text_comes_back(database: Database, rows: list[tuple[str | None, list[str]]]):
    async with transaction(database.system) as session:
        connection = await driver_connection(session)
        async with connection.cursor() as cursor:
            await cursor.execute("CREATE TEMP TABLE IF NOT EXISTS any_text (n int, one text, many text[])")
            await cursor.execute("TRUNCATE any_text")
            async with cursor.copy(f"COPY any_text FROM STDIN {_FORMAT}".encode()) as copy:
                for n, (one, many) in enumerate(rows):
                    await copy.write(line((str(n), _NOTHING if one is None else one, array(many))))
            found = await (await cursor.execute("SELECT one, many FROM any_text ORDER BY n")).fetchall()
    assert found == rows
