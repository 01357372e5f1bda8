"""The demonstration file: big, plausible, the same every time, and enough for the material list."""

import csv
import hashlib
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from stdnum.cn import uscc

from infra.material_list import read_material_list
from infra.seed.demo_files import COLUMNS, PRICES_FILE, ROWS, STAPLES, price_book, rows, write_demo_files
from infra.seed.demo_world import MATERIAL_LIST, TAXONOMY, demo_world, seed_document
from services.catalog.components.rules import Fault, identity_of, parsed_key, variant_key
from services.catalog.components.taxonomy import definition_from, read_taxonomy

DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def generated() -> list[dict[str, str]]:
    return list(rows(day=DAY))


def test_every_company_of_the_world_has_a_valid_tax_id_of_its_own():
    world = demo_world()
    tax_ids = [company.tax_id for company in world.contractors] + [company.tax_id for company in world.suppliers]
    assert all(uscc.is_valid(tax_id) for tax_id in tax_ids)
    assert len(set(tax_ids)) == len(tax_ids)


def test_the_file_has_twenty_thousand_rows_over_at_least_ten_suppliers(generated):
    assert len(generated) == ROWS
    per_supplier = Counter(row["supplier_uscc"] for row in generated)
    assert len(per_supplier) >= 10
    assert min(per_supplier.values()) >= 500


def test_no_supplier_lists_the_same_item_number_twice(generated):
    assert len({(row["supplier_uscc"], row["item_no"]) for row in generated}) == ROWS


def test_the_same_seed_and_day_give_the_same_bytes_in_another_process(tmp_path: Path):
    written = write_demo_files(tmp_path / "here", day=DAY, count=2_000)
    program = (
        "import sys; from datetime import date; from pathlib import Path; from infra.seed import demo_files;"
        "demo_files.write_demo_files(Path(sys.argv[1]), day=date(2026, 11, 22), count=2_000)"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "there")],
        check=True,
        env={"PYTHONHASHSEED": "7"},
        cwd=Path.cwd(),
    )
    here = hashlib.sha256(written["prices"].read_bytes()).hexdigest()
    there = hashlib.sha256((tmp_path / "there" / PRICES_FILE).read_bytes()).hexdigest()
    assert here == there


def test_another_seed_gives_another_file():
    first = list(rows(day=DAY, count=500))
    other = list(rows(day=DAY, count=500, seed=1))
    assert first != other


def test_every_variant_of_the_price_book_fits_the_taxonomy():
    taxonomy = {entry["code"]: entry for entry in seed_document(TAXONOMY)["components"]}
    for code, entry in price_book().items():
        identity = {prop["key"]: prop for prop in taxonomy[code]["properties"] if prop.get("identity")}
        required = {key for key, prop in identity.items() if prop.get("required")}
        assert required <= set(entry["properties"]) <= set(identity), code
        for key, values in entry["properties"].items():
            allowed = identity[key].get("allowed")
            for value in values:
                if value == "":
                    assert key not in required, (code, key)
                elif allowed is not None:
                    assert str(value) in {str(known) for known in allowed}, (code, key, value)


def test_every_row_can_be_taken_at_its_word(generated):
    for row in generated:
        assert Decimal(row["price"]) > 0
        assert Decimal(row["price"]).as_tuple().exponent == -2
        assert Decimal(row["min_quantity"]) > 0
        assert row["valid_from"] <= DAY.isoformat() < row["valid_until"]
        assert bool(row["on_hand"]) == bool(row["as_of"]), "made to order has neither"


def test_the_staples_are_there_in_quantity_for_every_member(generated):
    carried = {row["variant"]: row for row in generated if row["variant"] in STAPLES and row["audience"] == "MEMBERS"}
    assert set(carried) == set(STAPLES)


def test_the_written_file_has_the_columns_of_the_sync(tmp_path: Path):
    written = write_demo_files(tmp_path, day=DAY, count=500)
    with written["prices"].open(encoding="utf-8", newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS
    assert written["materials"].read_bytes() == MATERIAL_LIST.read_bytes()


def test_the_material_list_has_twenty_lines_in_whatever_year_it_is_read():
    for today in (DAY, date(2031, 2, 3)):
        lines = read_material_list(MATERIAL_LIST.read_bytes(), name=MATERIAL_LIST.name, today=today)
        assert len(lines) == 20
        assert all(line.need_by > today for line in lines)


def test_more_rows_than_the_price_book_knows_is_said_plainly():
    with pytest.raises(ValueError, match="rows to choose from"):
        list(rows(day=DAY, count=10_000_000))


def test_every_variant_of_the_file_is_written_in_its_one_canonical_spelling(generated):
    taxonomy = read_taxonomy(seed_document(TAXONOMY))
    definitions = {entry.code: definition_from(entry.definition, version=1) for entry in taxonomy.types}
    for key in sorted({row["variant"] for row in generated}):
        parsed = parsed_key(key)
        assert not isinstance(parsed, Fault), parsed
        code, given = parsed
        values, faults = identity_of(definitions[code], given)
        assert not faults, (key, faults)
        assert variant_key(code, values) == key


def test_every_line_of_the_material_list_is_one_of_the_staples():
    taxonomy = read_taxonomy(seed_document(TAXONOMY))
    definitions = [definition_from(entry.definition, version=1) for entry in taxonomy.types]
    wanted = []
    for line in read_material_list(MATERIAL_LIST.read_bytes(), name=MATERIAL_LIST.name, today=DAY):
        if "|" in line.code:
            wanted.append(line.code)
            continue
        definition = next(each for each in definitions if line.code == each.code or line.name == each.name_zh)
        values, faults = identity_of(definition, line.properties)
        assert not faults, (line, faults)
        wanted.append(variant_key(definition.code, values))
    assert set(wanted) == set(STAPLES)


def test_every_supplier_is_qualified_for_what_it_lists():
    taxonomy = {entry["code"]: entry for entry in seed_document(TAXONOMY)["components"]}
    for supplier in demo_world().suppliers:
        assert {taxonomy[code]["category"] for code in supplier.items} <= set(supplier.categories), supplier.short
