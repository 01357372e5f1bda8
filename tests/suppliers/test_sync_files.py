"""Files as suppliers really send them: readable ones are read, broken ones refused whole with the row named."""

import io
import json
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from services.suppliers.imports.preparing import prepare
from services.suppliers.imports.reading import chunks
from services.suppliers.imports.rendering import rendered_line
from services.suppliers.imports.rules import Format
from shared.sheets import FileRefused, cell_text, to_csv
from tests.suppliers.world import World, csv_of, new_items

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def lines_of(folder: Path, body: bytes, format_: Format = Format.CSV, *, charset: str | None = None, size: int = 2):
    """The rows of a body as COPY would get them, with their numbers."""
    path = folder / "job.body"
    path.write_bytes(body)
    prepared = prepare(path, format_=format_, charset=charset, may_price=True)
    found = []
    for chunk in chunks(
        folder / prepared.file, prepared, position=prepared.start, row=prepared.first_row, size=size, may_price=True
    ):
        lines = chunk.data.decode().splitlines()
        assert len(lines) == chunk.rows
        for place, line in enumerate(lines):
            cells = line.split(chunk.delimiter or "\t")
            found.append((chunk.first_row + place, dict(zip(chunk.columns, cells, strict=True))))
    return prepared, found


def refusal(folder: Path, body: bytes, format_: Format = Format.CSV, **more) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        lines_of(folder, body, format_, **more)
    return refused.value


def test_a_clean_csv_goes_to_the_database_as_it_is(tmp_path: Path):
    prepared, rows = lines_of(tmp_path, b"item_no,price\nA,1\nB,2\nC,3\n")
    assert (prepared.kind, prepared.encoding) == ("csv", "utf-8")
    assert rows == [
        (2, {"item_no": "A", "price": "1"}),
        (3, {"item_no": "B", "price": "2"}),
        (4, {"item_no": "C", "price": "3"}),
    ]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("\ufeffitem_no;price\r\nA;1\r\n".encode(), "utf-8-sig"),
        ("物料编码\t单价\nA\t1\n".encode("gb18030"), "gb18030"),
        (b"\n\nItem No,PRICE\nA,1", "utf-8"),
        (b'"item_no","price"\n"A","1"\n', "utf-8"),
    ],
)
def test_bom_delimiters_spacing_and_gb18030_are_read(tmp_path: Path, body: bytes, encoding: str):
    prepared, rows = lines_of(tmp_path, body)
    assert prepared.encoding == encoding
    assert [(row["item_no"], row["price"]) for _, row in rows] == [("A", "1")]


def test_rows_that_are_not_clean_are_read_one_by_one(tmp_path: Path):
    _, rows = lines_of(tmp_path, b"item_no,price\nA\\B,1\n\nB,2,3\nC\x01,4\nD,5\n", size=10)
    told = [(number, row["item_no"], row.get("broken_code")) for number, row in rows]
    assert told == [
        (2, "A\\\\B", "\\N"),
        (3, "\\N", "blank"),
        (4, "\\N", "WrongFieldCount"),
        (5, "\\N", "ControlCharacter"),
        (6, "D", "\\N"),
    ]


@pytest.mark.parametrize(
    ("body", "code", "row"),
    [
        (b"", "EmptyFile", None),
        (b"item_no,price\n", "NoRows", None),
        (b"item_no,colour\nA,1\n", "UnknownColumn", 1),
        (b"item_no,price,PRICE\nA,1,2\n", "ColumnTwice", 1),
        (b"price,unit\n1,t\n", "ItemNumberMissing", 1),
        (b"item_no\nA\n", "NothingToSet", 1),
        (b"item_no,price,unit\nA,1,t\nB,2", "FileTruncated", 3),
        (b'item_no,price\nA,1\nB,"2\nC,3\n', "FileTruncated", 3),
        (b'item_no,price,unit\n"A",1,t\nB,2', "FileTruncated", 3),
        (b'item_no,price\nA,1\nB,"2"x\nC,3\n', "MalformedCsv", 3),
        (b"item_no,price\nA,1\nB\x00,2\n", "NulByte", 3),
        ("item_no,price\nA,1\n".encode("utf-16"), "EncodingNotRead", None),
        (b"item_no,brand\nA,ok\nB,caf\xe9\n", "EncodingNotRead", 3),
        (b"item_no,price\n" + b"A" * 3_000_000 + b",1\n", "LineTooLong", 2),
        (b"PK\x03\x04 a spreadsheet", "NotText", None),
    ],
)
def test_a_broken_csv_is_refused_with_its_row(tmp_path: Path, body: bytes, code: str, row: int | None):
    refused = refusal(tmp_path, body)
    assert (refused.code, refused.row) == (code, row)


def test_a_csv_that_says_its_charset_is_held_to_it(tmp_path: Path):
    gb18030 = "item_no,brand\nA,沙钢\n".encode("gb18030")
    assert refusal(tmp_path, gb18030, charset="utf-8").code == "EncodingNotRead"
    assert lines_of(tmp_path, gb18030, charset="gb18030")[1][0][1]["brand"] == "沙钢"


def test_ndjson_is_read_line_by_line(tmp_path: Path):
    body = (
        b'{"item_no": "A", "price": 12.10, "tax_inclusive": true, "regions": ["11", "31"]}\n'
        b"\n"
        b'{"item_no": "B", "properties": {"a": "1", "b": "2"}}\n'
        b'{"item_no": "C", "colour": "red"}\n'
        b"{broken\n"
        b"[1]\n"
        b'{"item_no": "D", "price": {"a": null}}\n'
        b'{"item_no": "E", "price": NaN}\n'
        b'{"item_no": "\\ud800"}'
    )
    _, rows = lines_of(tmp_path, body, Format.NDJSON)
    assert (rows[0][1]["price"], rows[0][1]["tax_inclusive"], rows[0][1]["regions"]) == ("12.10", "true", "11;31")
    assert rows[2][1]["properties"] == "a=1; b=2"
    assert [(number, row["broken_code"]) for number, row in rows[1:]] == [
        (2, "blank"),
        (3, "\\N"),
        (4, "UnknownColumn"),
        (5, "MalformedJson"),
        (6, "NotAnObject"),
        (7, "WrongKind"),
        (8, "MalformedJson"),
        (9, "ControlCharacter"),
    ]


def test_a_deeply_nested_line_is_only_a_bad_row():
    assert b"MalformedJson" in rendered_line(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, may_price=True)


def test_prices_from_a_client_for_stock_are_refused_by_row():
    line = b'{"item_no": "A", "price": "1"}'
    assert b"PricesNotAllowed" in rendered_line(line, may_price=False)
    assert b"PricesNotAllowed" not in rendered_line(line, may_price=True)


def test_truncated_ndjson_is_refused(tmp_path: Path):
    refused = refusal(tmp_path, b'{"item_no": "A"}\n{"item_no": "B", "pri', Format.NDJSON)
    assert (refused.code, refused.row) == ("FileTruncated", 2)


def test_a_json_array_is_read_whatever_its_size(tmp_path: Path):
    rows = [{"item_no": f"A-{number}", "price": "1.5", "brand": "x" * 90} for number in range(30_000)]
    body = json.dumps(rows, indent=1).encode()
    assert len(body) > 3 * 1024 * 1024
    _, found = lines_of(tmp_path, body, Format.JSON, size=20_000)
    assert [row["item_no"] for _, row in found] == [row["item_no"] for row in rows]
    assert found[-1][0] == 30_000


@pytest.mark.parametrize(
    ("body", "code", "row"),
    [
        (b"", "EmptyFile", None),
        (b"[]", "NoRows", None),
        (b'{"item_no": "A"}', "NotAnArray", None),
        (b'[{"item_no": "A"}, {"item_no": "B"', "FileTruncated", 2),
        (b'[{"item_no": "A"}', "FileTruncated", 1),
        (b'[{"item_no": "A"} {"item_no": "B"}]', "MalformedJson", 1),
        (b'[{"item_no": "A"}, {item_no: "B"}]', "MalformedJson", 2),
        (b'[{"item_no": "A"}] {}', "MalformedJson", 1),
        (b'[{"item_no": "A' + b"x" * 3_000_000, "MalformedJson", 1),
        (b'[{"item_no": "\xff"}]', "EncodingNotRead", None),
        (b"[" * 200_000, "MalformedJson", 1),
    ],
)
def test_a_broken_json_array_is_refused(tmp_path: Path, body: bytes, code: str, row: int | None):
    refused = refusal(tmp_path, body, Format.JSON)
    assert (refused.code, refused.row) == (code, row)


def workbook(*rows, formulas: dict[str, str] | None = None, blank_rows: int = 0) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet, dates = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for number, row in enumerate(rows, blank_rows):
        for column, value in enumerate(row):
            if isinstance(value, datetime):
                sheet.write_datetime(number, column, value, dates)
            else:
                sheet.write(number, column, value)
    for cell, formula in (formulas or {}).items():
        sheet.write_formula(cell, formula, None, 42)
    book.close()
    return out.getvalue()


def test_a_spreadsheet_is_read_with_its_row_numbers_and_without_its_formulas(tmp_path: Path):
    body = workbook(
        ["物料编码", "库存", "单价", "截止时间"],
        [10001, 5, 0.1 + 0.2, datetime(2026, 11, 20, 8, 30)],  # noqa: DTZ001 - a cell has no zone
        ["A-2", None, 1234567.891, None],
        blank_rows=2,
        formulas={"B6": "=1+1"},
    )
    _, rows = lines_of(tmp_path, body, Format.XLSX, size=50)
    assert [(number, row["item_no"], row["on_hand"], row["price"]) for number, row in rows[:2]] == [
        (4, "10001", "5", "0.3"),
        (5, "A-2", rows[1][1]["on_hand"], "1234567.891"),
    ]
    assert rows[0][1]["as_of"] == "2026-11-20 08:30:00"
    assert rows[2][1]["on_hand"] == "42"


@pytest.mark.parametrize(
    ("value", "text"), [(1e16, "10000000000000000"), (1e-7, "0.0000001"), (True, "true"), (12.0, "12"), ("x", "x")]
)
def test_cells_are_written_out(value: object, text: str):
    assert cell_text(value) == text


def archive(name: str, content: bytes, *, entries: int = 1) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(entries):
            file.writestr(f"{name}{number}", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"PK\x03\x04 no zip at all", "NotASpreadsheet"),
        (b"a,b\n1,2\n", "NotASpreadsheet"),
        (archive("xl/worksheets/sheet", b"0" * 60_000_000), "ZipBomb"),
        (archive("x", b"0" * 20_000_000), "ZipBomb"),
        (archive("x", b"", entries=1001), "ZipBomb"),
        (archive("readme", b"hello"), "NotASpreadsheet"),
    ],
)
def test_what_is_no_honest_spreadsheet_is_refused(tmp_path: Path, body: bytes, code: str):
    assert refusal(tmp_path, body, Format.XLSX).code == code


def test_a_spreadsheet_has_only_so_much_time(tmp_path: Path):
    source = tmp_path / "in.xlsx"
    source.write_bytes(workbook(["item_no", "price"], ["A", 1]))
    with pytest.raises(FileRefused) as refused:
        to_csv(source, tmp_path / "out.csv", wall_seconds=0.001)
    assert refused.value.code == "SpreadsheetTooCostly"


async def test_every_format_does_the_same(world: World):
    await world.synced(new_items("A-1"))
    row = {"item_no": "A-1", "on_hand": "7", "price": "10"}
    bodies = [
        ("text/csv", csv_of("A-1,7,10", header="item_no,on_hand,price").encode()),
        ("text/csv; charset=gbk", "货号,库存,单价\nA-1,7,10\n".encode("gbk")),
        ("application/x-ndjson", json.dumps(row).encode()),
        ("application/json", json.dumps([row]).encode()),
        (XLSX, workbook(["item_no", "on_hand", "price"], ["A-1", 7, 10])),
    ]
    counts = [(await world.synced(body, kind=kind))["counts"] for kind, body in bodies]
    assert [count["accepted"] for count in counts] == [1, 0, 0, 0, 0]
    assert [count["unchanged"] for count in counts] == [0, 1, 1, 1, 1]
    assert Decimal((await world.offers())["A-1", "default"]["price"]) == 10


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("text/csv", b"item_no,price\nA-1,5\nA-1", "FileTruncated"),
        ("text/csv", b'item_no,price\nA-1,"5\n', "FileTruncated"),
        ("application/json", b'[{"item_no": "A-1", "price": "5"}, {', "FileTruncated"),
        ("application/x-ndjson", b'{"item_no": "A-1", "price": "5"}\n{"it', "FileTruncated"),
        (XLSX, archive("x", b"0" * 20_000_000), "ZipBomb"),
        ("text/csv", b"item_no,colour\nA-1,red\n", "UnknownColumn"),
    ],
)
async def test_a_broken_file_is_a_clear_problem_and_changes_nothing(world: World, kind: str, body: bytes, code: str):
    await world.synced(new_items("A-1"))
    answer = await world.sync(body, kind=kind, sequence=1)
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["code"], problem["sync"]["state"]) == (code, "FAILED")
    assert answer.headers["content-type"] == "application/problem+json"
    assert Decimal((await world.offers())["A-1", "default"]["price"]) == Decimal("3250.50")
    assert (await world.synced(csv_of("A-1,5", header="item_no,price"), sequence=1))["outcome"] == "first"
    assert list((world.folder / "syncs").iterdir()) == []


async def test_other_media_and_charsets_are_refused(world: World):
    for kind in ("text/plain", "", "text/csv; charset=latin-1", "application/json; charset=gbk"):
        answer = await world.sync(b"item_no,price\nA,1\n", kind=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "MediaNotRead")


async def test_a_body_beyond_the_limit_is_refused_and_leaves_nothing(create_world):
    world = create_world(sync_limit_bytes=100)
    await world.register()
    answer = await world.sync(b"item_no,price\n" + b"A,1\n" * 100)
    assert (answer.status_code, answer.json()["code"]) == (413, "SyncTooLarge")
    assert list((world.folder / "syncs").iterdir()) == []
