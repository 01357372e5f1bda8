"""Variants over HTTP: made once on first use, by anybody, in any number, whatever is wrong told clearly."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalog.components.jobs import load_taxonomy
from services.catalog.components.rules import variant_key
from shared.clients.catalog import CatalogClient
from shared.clients.transport import FixedToken, ServiceClient, ServiceRefused
from shared.contracts.catalog import RESOLVE_AT_MOST, VariantReference
from shared.database import Database, transaction
from shared.identity import Role, Scope
from tests.catalog.conftest import AT, BAR, a_valid_choice, definitions, taxonomy_document
from tests.conftest import a_person, a_service, an_api_client, once, signed_in, token_for

BUYER = signed_in(a_person(Role.BUYER))
BAR_BODY = {"type": "RB-HRB", "properties": {"diameter": "Φ20", "grade": "hrb400e", "length": 12}}


async def use(http: httpx.AsyncClient, type_code: str, **properties: Any) -> httpx.Response:
    body = {"type": type_code, "properties": properties}
    return await http.post("/catalog/variants", json=body, headers={**BUYER, **once()})


async def resolve(http: httpx.AsyncClient, references: Sequence[Any], headers: dict[str, str] = BUYER) -> Any:
    answer = await http.post("/catalog/variants/resolve", json={"variants": references}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def count_of_variants(database: Database) -> int:
    async with transaction(database.system) as session:
        return int((await session.execute(text("SELECT count(*) FROM variants"))).scalar_one())


async def test_a_variant_is_made_on_first_use_with_all_that_others_copy(http: httpx.AsyncClient):
    answer = await http.post("/catalog/variants", json=BAR_BODY, headers={**BUYER, **once()})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["key"] == BAR
    assert made["properties"] == {"diameter": "20", "grade": "HRB400E", "length": "12"}
    assert made["name_zh"] == "热轧带肋钢筋(直条) HRB400E Φ20 12m"
    assert (made["type_code"], made["type_version"], made["category"], made["supply_mode"]) == (
        "RB-HRB",
        1,
        "rebar",
        "stock",
    )
    assert (made["base_unit"], made["base_decimals"], made["carbon"]) == ("t", 3, "2340.000000")
    assert made["unit_factors"] == {"t": "1", "piece": "0.02964", "m": "0.00247", "kg": "0.001", "km": "2.47"}
    assert made["unit_decimals"] == {"t": 3, "piece": 0, "m": 3, "kg": 3, "km": 3}
    assert re.fullmatch("[0-9a-f]{64}", made["spec_hash"])
    assert made["standards"] == ["GB 1499.2-2024", "GB 50204-2015"]
    again = await http.post("/catalog/variants", json=BAR_BODY, headers={**BUYER, **once()})
    assert again.json() == made


async def test_carbon_is_told_per_base_unit(http: httpx.AsyncClient):
    board = (await use(http, "WI-EPS", density="20", thickness="50", fire="B1")).json()
    type_view = (await http.get("/catalog/types/WI-EPS")).json()
    assert type_view["carbon"]["unit"] == "t"
    assert float(board["carbon"]) == float(type_view["carbon"]["typical"]) * 20 / 1000
    assert (await use(http, "MR-PPE", kind="手套")).json()["carbon"] is None


async def test_every_type_makes_a_variant(http: httpx.AsyncClient):
    chosen = [
        (code, a_valid_choice(definition, every=every))
        for code, definition in sorted(definitions().items())
        for every in (True, False)
    ]
    results = await resolve(http, [{"type": code, "properties": choice} for code, choice in chosen])
    for (code, choice), result in zip(chosen, results, strict=True):
        made = result["variant"]
        assert made["properties"].keys() == choice.keys()
        assert made["key"] == variant_key(code, made["properties"])
        assert made["unit_factors"][made["base_unit"]] == "1"
        assert (await http.get(f"/catalog/variants/{quote(made['key'], safe='')}")).json() == made


@pytest.mark.parametrize(
    ("type_code", "properties", "status", "code", "field"),
    [
        ("XX-NONE", {"a": "b"}, 422, "UnknownType", "type"),
        ("RB-HRB", {"colour": "red", "diameter": 20, "grade": "HRB400E", "length": 12}, 422, "UnknownProperty",
         "properties.colour"),
        ("RB-HRB", {"brand": "北河", "diameter": 20, "grade": "HRB400E", "length": 12}, 422, "NotAnIdentityProperty",
         "properties.brand"),
        ("RB-HRB", {"diameter": 20, "grade": "HRB400E"}, 422, "MissingIdentityProperty", "properties.length"),
        ("RB-HRB", {"diameter": 21, "grade": "HRB400E", "length": 12}, 422, "ValueNotAllowed", "properties.diameter"),
        ("ST-PLATE", {"thickness": 200, "width": 2, "length": 10, "grade": "Q355B"}, 422, "ValueOutOfRange",
         "properties.thickness"),
        ("RB-HRB", {"diameter": "thick", "grade": "HRB400E", "length": 12}, 422, "WrongValueKind",
         "properties.diameter"),
        ("RB-HRB", {"diameter": 12.7, "grade": "HRB400E", "length": 12}, 422, "MalformedRequest", None),
        ("RB-HRB", {"diameter": [20]}, 422, "MalformedRequest", None),
    ],
)  # fmt: skip
async def test_each_wrong_variant_is_its_own_clear_error(http, database, type_code, properties, status, code, field):
    answer = await use(http, type_code, **properties)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert problem["detail"]
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]]
    assert await count_of_variants(database) == 0


async def test_every_fault_of_one_variant_is_told_at_once(http: httpx.AsyncClient):
    problem = (await use(http, "RB-HRB", diameter=21, brand="北河", colour="red")).json()
    assert {error["rule"] for error in problem["errors"]} == {
        "ValueNotAllowed",
        "NotAnIdentityProperty",
        "UnknownProperty",
        "MissingIdentityProperty",
    }


async def test_many_references_are_answered_in_their_places(http: httpx.AsyncClient, database: Database):
    results = await resolve(
        http,
        [
            {"key": BAR},
            {"key": "nonsense"},
            {"key": "rb-hrb|length=12m,grade=hrb400e,diameter=Φ20"},
            {"type": "RB-HRB", "properties": {"grade": "HRB400E"}},
            BAR_BODY,
            {"key": "XX-NONE|a=b"},
        ],
    )
    assert [list(result) for result in results] == [
        ["variant"], ["error"], ["variant"], ["error"], ["variant"], ["error"],
    ]  # fmt: skip
    assert len({results[place]["variant"]["id"] for place in (0, 2, 4)}) == 1
    assert [results[place]["error"]["code"] for place in (1, 3, 5)] == [
        "VariantKeyMalformed", "MissingIdentityProperty", "UnknownType",
    ]  # fmt: skip
    assert results[3]["error"]["field"] == "properties.diameter"
    assert await count_of_variants(database) == 1


async def test_five_thousand_references_are_one_call(http: httpx.AsyncClient, database: Database):
    keys = [
        f"ST-PLATE|grade={grade},length={length},thickness={thickness},width=2"
        for grade in ("Q235B", "Q355B")
        for length in range(2, 22)
        for thickness in range(3, 128)
    ]
    assert len(keys) == RESOLVE_AT_MOST
    results = await resolve(http, [{"key": key} for key in keys])
    assert [result["variant"]["key"] for result in results] == keys
    assert await resolve(http, [{"key": key} for key in keys]) == results
    assert await count_of_variants(database) == RESOLVE_AT_MOST
    answer = await http.post("/catalog/variants/resolve", json={"variants": [{"key": BAR}] * 5001}, headers=BUYER)
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")


async def test_thirty_two_racing_callers_make_each_variant_once(http: httpx.AsyncClient, database: Database):
    keys = [f"RB-HRB|diameter={d},grade=HRB400E,length={length}" for d in (12, 16, 20, 25, 28) for length in (9, 12)]

    async def one(number: int) -> list[str]:
        turned = keys[number % len(keys) :] + keys[: number % len(keys)]
        results = await resolve(http, [{"key": key} for key in turned])
        return sorted(result["variant"]["id"] for result in results)

    answers = await asyncio.gather(*(one(number) for number in range(32)))
    assert all(answer == answers[0] for answer in answers)
    assert len(set(answers[0])) == len(keys)
    assert await count_of_variants(database) == len(keys)


@pytest.mark.parametrize(
    "reference",
    [
        {},
        {"key": BAR, "type": "RB-HRB"},
        {"key": BAR, "properties": {}},
        {"properties": {"a": "b"}},
        {"key": "RB-HRB|\u0000"},
        {"type": "RB-HRB", "properties": {"diameter": 12.7}},
        {"type": "RB-HRB", "properties": {str(n): "x" for n in range(51)}},
        {"key": BAR, "colour": "red"},
    ],
)
async def test_a_reference_that_is_none_is_malformed(http: httpx.AsyncClient, reference):
    answer = await http.post("/catalog/variants/resolve", json={"variants": [reference]}, headers=BUYER)
    assert (answer.status_code, answer.json()["code"]) == (422, "MalformedRequest")


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        (None, 401),
        (a_service(Scope.FEED_READ), 403),
        (a_service(Scope.VARIANTS_RESOLVE), 200),
        (an_api_client(Scope.STOCK_WRITE), 200),
        (an_api_client(Scope.ORDERS_READ), 403),
        (a_person(Role.SUPPLIER_SALES), 200),
        (a_person(Role.REQUESTER), 200),
        (a_person(Role.OPERATOR), 200),
    ],
)
async def test_only_parties_and_services_make_variants(http: httpx.AsyncClient, caller, status):
    headers = {} if caller is None else signed_in(caller)
    answer = await http.post("/catalog/variants/resolve", json={"variants": [{"key": BAR}]}, headers=headers)
    assert answer.status_code == status
    answer = await http.post("/catalog/variants", json=BAR_BODY, headers={**headers, **once()})
    assert answer.status_code == (201 if status == 200 else status)


async def test_using_one_variant_needs_an_idempotency_key_and_replays(http: httpx.AsyncClient):
    answer = await http.post("/catalog/variants", json=BAR_BODY, headers=BUYER)
    assert answer.json()["code"] == "IdempotencyKeyMissing"
    key = once()
    first = await http.post("/catalog/variants", json=BAR_BODY, headers={**BUYER, **key})
    second = await http.post("/catalog/variants", json=BAR_BODY, headers={**BUYER, **key})
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json() == first.json()


async def test_a_variant_is_found_by_any_spelling_of_its_key_and_by_nobody_before_its_first_use(
    http: httpx.AsyncClient,
):
    path = "/catalog/variants/RB-HRB|diameter=20,grade=HRB400E,length=12"
    missing = await http.get(path)
    assert (missing.status_code, missing.json()["code"]) == (404, "VariantNotFound")
    await resolve(http, [{"key": BAR}])
    assert (await http.get(path)).json()["key"] == BAR
    assert (await http.get("/catalog/variants/rb-hrb|length=12m,diameter=Φ20,grade=HRB400E")).json()["key"] == BAR
    wrong = await http.get("/catalog/variants/RB-HRB|diameter=21,grade=HRB400E,length=12")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "ValueNotAllowed")
    for nonsense in ("RB-HRB", "%00", "a" * 2001):
        answer = await http.get(f"/catalog/variants/{nonsense}")
        assert answer.status_code == 422, nonsense
        assert answer.json()["code"] in {"VariantKeyMalformed", "MalformedRequest"}


async def test_a_withdrawn_type_keeps_its_variants_and_makes_no_new_ones(http: httpx.AsyncClient, database: Database):
    await resolve(http, [{"key": BAR}])
    document = {
        **taxonomy_document(),
        "components": [each for each in taxonomy_document()["components"] if each["code"] != "RB-HRB"],
    }
    await load_taxonomy(database.system, document=document, at=AT)
    kept, new = await resolve(http, [{"key": BAR}, {"key": BAR.replace("20", "25")}])
    assert kept["variant"]["key"] == BAR
    assert new["error"]["code"] == "TypeDeprecated"
    answer = await use(http, "RB-HRB", diameter=25, grade="HRB400E", length=12)
    assert (answer.status_code, answer.json()["code"]) == (409, "TypeDeprecated")


COPIED = (
    "category, name_zh, name_en, properties, supply_mode, base_unit, base_decimals, unit_factors, unit_decimals, "
    "spec_hash, carbon, standards, created_at"
)


def copy_of_a_variant(key: str, **changed: str) -> str:
    columns = ", ".join(f"{changed[name]} AS {name}" if name in changed else name for name in COPIED.split(", "))
    return (
        f"INSERT INTO variants (id, key, type_code, type_version, {COPIED}) "
        f"SELECT gen_random_uuid(), {key}, type_code, type_version, {columns} FROM variants"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE variants SET name_en = 'x'",
        "DELETE FROM variants",
        copy_of_a_variant("key"),
        copy_of_a_variant("'XX|a=b'"),
        copy_of_a_variant("key || 'x'", unit_factors='CAST(\'{"t": "2"}\' AS jsonb)'),
        copy_of_a_variant("key || 'x'", spec_hash="'short'"),
    ],
)
async def test_the_database_itself_keeps_variants(http: httpx.AsyncClient, database: Database, statement):
    await resolve(http, [{"key": BAR}])
    with pytest.raises(DBAPIError):
        async with transaction(database.system) as session:
            await session.execute(text(statement))


async def test_the_typed_client_reads_the_same(http: httpx.AsyncClient):
    token = FixedToken(token_for(a_service(Scope.VARIANTS_RESOLVE)))
    client = CatalogClient(ServiceClient("catalog", http, token))
    good, bad = await client.resolve(references=[VariantReference(key=BAR), VariantReference(key="nonsense")])
    assert good.variant is not None
    assert bad.error is not None
    assert bad.error.code == "VariantKeyMalformed"
    assert await client.variant(key=BAR) == good.variant
    with pytest.raises(ServiceRefused) as refused:
        await client.variant(key=BAR.replace("20", "25"))
    assert refused.value.problem_code == "VariantNotFound"
