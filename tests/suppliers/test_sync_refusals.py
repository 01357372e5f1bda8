"""What the database would swallow and nobody could read again, order by or pay: refused by row."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from services.suppliers.imports import reading
from services.suppliers.imports.preparing import prepare
from services.suppliers.imports.reading import chunks
from services.suppliers.imports.rendering import VALUE_LENGTH_AT_MOST
from services.suppliers.imports.rules import Format
from shared.sheets import BLOCK_BYTES, LINE_BYTES_AT_MOST, FileRefused
from tests.suppliers.world import BOLT, FULL_HEADER, REBAR, World, csv_of, new_items

NDJSON = "application/x-ndjson"
JSON = "application/json"


def problems(view: dict[str, Any]) -> dict[int, tuple[str, str]]:
    return {row["row"]: (row["field"], row["code"]) for row in view["problems"]}


@pytest.mark.parametrize("value", ["now", "epoch", "today", "-infinity", "infinity", "0044-03-15 BC", "Jan 5 2026"])
async def test_a_time_is_written_as_a_day_and_a_time(world: World, value: str):
    await world.synced(new_items("A-1", "A-2"))
    view = await world.synced(csv_of(f"A-1,5,{value}", "A-2,6,", header="item_no,on_hand,as_of"))
    assert problems(view)[2][0] == "as_of"
    stock = await world.stock()
    assert [stock[item, "main"]["on_hand"].split(".")[0] for item in ("A-1", "A-2")] == ["100", "6"]


@pytest.mark.parametrize("column", ["valid_from", "valid_until"])
async def test_a_date_lies_between_2000_and_9999(world: World, column: str):
    await world.synced(new_items("A-1"))
    values = ["now", "infinity", "10000-01-01", "1999-12-31", "2026-01-01 BC", "20270101", "2026-02-30"]
    view = await world.synced(csv_of(*(f"A-1,{value}" for value in values), header=f"item_no,{column}"))
    assert [code for _, code in problems(view).values()] == [
        "NotADate",
        "NotADate",
        "NotADate",
        "OutOfRange",
        "OutOfRange",
        "NotADate",
        "NotADate",
    ]
    good = "2000-01-01" if column == "valid_from" else "9999-12-31"
    await world.synced(csv_of(f"A-1,{good}", header=f"item_no,{column}"))
    assert (await world.offers())["A-1", "default"][column] == good


@pytest.mark.parametrize(
    "change",
    [
        "offers SET valid_from = '1999-12-31'",
        "offers SET valid_until = 'infinity'",
        "offers SET valid_until = '10000-01-01'",
        "stock_levels SET as_of = '-infinity'",
        "stock_levels SET as_of = 'infinity'",
        "stock_levels SET as_of = '1999-12-31T23:59:59Z'",
    ],
)
async def test_the_database_holds_no_day_that_cannot_be_read(world: World, change: str):
    await world.synced(new_items("A-1"))
    with pytest.raises(IntegrityError, match="ck_"):
        await world.execute(f"UPDATE {change}")


async def test_numbers_are_written_in_digits(world: World):
    await world.synced(new_items("A-1"))
    values = ["0x10", "1_000", "NaN", "Infinity", "1e", "--1", "9e131072"]
    for kind, body in (
        ("text/csv", csv_of(*(f"A-1,{value}" for value in values), header="item_no,price")),
        (NDJSON, "".join(f'{{"item_no":"A-1","price":"{value}"}}\n' for value in values)),
    ):
        view = await world.synced(body, kind=kind)
        assert [code for _, code in problems(view).values()] == ["NotANumber"] * len(values)
    view = await world.synced(csv_of("A-1,0x0", "A-1,13%%", "A-1,.5e0", header="item_no,tax_rate"))
    assert [code for _, code in problems(view).values()] == ["NotANumber", "NotANumber"]
    assert (await world.synced(csv_of("A-1,+.5,1.e1", header="item_no,price,on_hand")))["counts"]["accepted"] == 1


@pytest.mark.parametrize("value", ["9e131071", "-9e131071", "1e-16000"])
async def test_numbers_beyond_measure_are_rejected_rows(world: World, value: str):
    await world.synced(csv_of(f"B-1;{BOLT};main;10;1;0.13;true;piece", header=FULL_HEADER))
    columns = ["on_hand", "price", "tax_rate", "min_quantity", "step_quantity", "lead_time_days"]
    for column in columns:
        view = await world.synced(csv_of(f"B-1,{value},box", f"B-1,{value},", header=f"item_no,{column},unit"))
        assert view["counts"]["rejected"] == 2, (column, view)
    assert (await world.synced(csv_of("B-1,5,box", header="item_no,on_hand,unit")))["counts"]["accepted"] == 1


async def test_what_the_database_refuses_ends_the_sync_and_not_the_supplier(world: World):
    await world.synced(new_items("A-1"))
    runner = world.app.state.sync_runner
    take_chunk = runner._take_chunk

    async def unforeseen(*_given: object) -> None:
        raise psycopg.errors.NumericValueOutOfRange

    runner._take_chunk = unforeseen
    answer = await world.sync(csv_of("A-1,666", header="item_no,price"))
    runner._take_chunk = take_chunk
    assert (answer.status_code, answer.json()["code"]) == (422, "ValueNotStored")
    assert answer.json()["sync"]["state"] == "FAILED"
    assert (await world.synced(csv_of("A-1,5", header="item_no,price")))["counts"]["accepted"] == 1


async def made_with(world: World, **terms: Any) -> None:
    offer = {"item_no": "Z", "stock_point": "main", "price": "3250", "tax_inclusive": True, "tax_rate": "0.13"}
    answer = await world.call(
        "POST", "/suppliers/offers", world.erp, json={**offer, "unit": "t", "variant": {"key": REBAR}, **terms}
    )
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("terms", "row", "taken"),
    [
        ({"tiers": [{"min_quantity": "60", "price": "3205"}]}, "Z,96,piece,,", False),
        ({"min_quantity": "10"}, "Z,96,piece,,", False),
        ({"min_quantity": "10"}, "Z,96,piece,300,", True),
        ({"step_quantity": "10"}, "Z,96,piece,300,", False),
        ({"step_quantity": "10"}, "Z,96,piece,,1", True),
        ({"min_quantity": "10"}, "Z,96,t,,", True),
        ({}, "Z,96,piece,,", True),
        ({}, "Z,,piece,,1", False),
    ],
)
async def test_another_unit_needs_all_that_is_said_in_it(world: World, terms: dict[str, Any], row: str, taken: bool):
    await made_with(world, **terms)
    view = await world.synced(csv_of(row, header="item_no,price,unit,min_quantity,step_quantity"))
    assert problems(view) == ({} if taken else {2: ("unit", "UnitOfOfferChanges")})
    assert (await world.offers())["Z", "default"]["unit"] == (row.split(",")[2] if taken else "t")


async def test_a_withdrawn_offer_is_not_changed_and_its_item_is_still_counted(world: World):
    await world.synced(new_items("A-1"))
    offer = (await world.offers())["A-1", "default"]
    await world.call("POST", f"/suppliers/offers/{offer['id']}/withdrawal", world.erp, version=1)
    before = await world.rows("SELECT price, version FROM offers")
    for row, header in (
        ("A-1,main,3000", "item_no,stock_point,price"),
        ("A-1,main,3250.50", "item_no,stock_point,price"),
        ("A-1,3,default", "item_no,lead_time_days,offer_code"),
        ("A-1,5,default", "item_no,on_hand,offer_code"),
    ):
        assert problems(await world.synced(csv_of(row, header=header))) == {2: ("offer_code", "OfferWithdrawn")}
    assert await world.rows("SELECT price, version FROM offers") == before
    assert (await world.synced(csv_of("A-1,5", header="item_no,on_hand")))["counts"]["accepted"] == 1


async def test_regions_are_few_and_each_is_named_once(world: World):
    await world.synced(new_items("A-1"))
    view = await world.synced(csv_of(f"A-1,{'11;' * 501}", "A-1,31;11;31;310000;11", header="item_no,regions"))
    assert problems(view) == {2: ("regions", "TooManyRegions")}
    assert (await world.offers())["A-1", "default"]["regions"] == ["31", "11", "310000"]
    again = await world.synced(csv_of("A-1,31;11;31;310000;11", header="item_no,regions"))
    assert again["counts"]["unchanged"] == 1


@pytest.mark.parametrize("kind", [NDJSON, JSON])
async def test_a_row_that_says_one_thing_twice_is_rejected(world: World, kind: str):
    await world.synced(new_items("A-1"))
    rows = [
        '{"item_no":"A-1","on_hand":"5","on_hand":"7"}',
        '{"item_no":"A-1","on_hand":"5","库存":"7"}',
        '{"item_no":"A-1","properties":{"a":"1","a":"2"}}',
        '{"item_no":"A-1","on_hand":"8"}',
        '{"item_no":"A-1","on_hand":"8","on_hand":"8"}',
    ]
    view = await world.synced("\n".join(rows) if kind == NDJSON else f"[{','.join(rows)}]", kind=kind)
    assert {row: code for row, (_, code) in problems(view).items()} == dict.fromkeys((1, 2, 3, 5), "ColumnTwice")
    assert (await world.stock())["A-1", "main"]["on_hand"].split(".")[0] == "8"


async def test_a_clean_file_is_held_to_the_length_of_its_values(world: World):
    await world.synced(new_items("A-1"))
    brand = "钢" * (VALUE_LENGTH_AT_MOST + 1)
    assert problems(await world.synced(csv_of(f"A-1,{brand}", header="item_no,brand"))) == {2: ("brand", "TooLong")}


def prepared_chunks(folder: Path, body: bytes, format_: Format = Format.CSV, *, size: int = 1000):
    path = folder / "job.body"
    path.write_bytes(body)
    as_ = prepare(path, format_=format_, charset=None, may_price=True)
    return list(chunks(folder / as_.file, as_, position=as_.start, row=as_.first_row, size=size, may_price=True))


@pytest.mark.parametrize(
    ("body", "format_"),
    [
        (b"item_no,brand\nA,b\nA,%s\nA,b\n", Format.CSV),
        (b'item_no,brand\nA,"b"\nA,%s\nA,b\n', Format.CSV),
        (b'{"item_no":"A"}\n{"item_no":"B"}\n{"item_no":"%s"}\n{"item_no":"A"}\n', Format.NDJSON),
    ],
)
@pytest.mark.parametrize("before", [0, BLOCK_BYTES - 40])
def test_no_line_is_longer_than_a_row_can_be(tmp_path: Path, body: bytes, format_: Format, before: int):
    padding = b"\n" * before
    head, _, tail = body.partition(b"\n")
    body = head + b"\n" + padding + tail
    with pytest.raises(FileRefused) as refused:
        prepared_chunks(tmp_path, body % (b"x" * LINE_BYTES_AT_MOST), format_)
    assert (refused.value.code, refused.value.row) == ("LineTooLong", 3 + before)
    assert prepared_chunks(tmp_path, body % (b"x" * (LINE_BYTES_AT_MOST - 100)), format_)


def test_a_chunk_ends_by_bytes_as_well_as_by_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "CHUNK_BYTES_AT_MOST", 10_000)
    body = b"item_no,brand\n" + b"".join(b"A-%d,%s\n" % (number, b"y" * 3_000) for number in range(9))
    found = prepared_chunks(tmp_path, body)
    assert [(chunk.first_row, chunk.rows) for chunk in found] == [(2, 4), (6, 4), (10, 1)]
    assert found[-1].position == len(body)


@pytest.mark.parametrize("wait", ["wait=²", "wait=" + "9" * 5000, "wait=x", "wait=0"])
async def test_an_odd_wish_to_wait_is_no_fault(create_world, wait: str):
    world = create_world(sync_inline_bytes=10, sync_wait_seconds=0)
    await world.register()
    answer = await world.sync(new_items("A-1"), headers={"Prefer": wait.encode("latin-1")})
    assert answer.status_code == 202
