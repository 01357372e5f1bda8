"""Reading the catalog: categories, types, codes, carbon; public, paged, with everything the API promises."""

from typing import Any

import httpx
import pytest

from services.catalog.app import create_app
from services.catalog.settings import Settings
from shared.database import Database
from shared.identity import TokenVerifier
from tests.catalog.conftest import definitions


async def test_categories_are_listed_in_order(http: httpx.AsyncClient):
    categories = (await http.get("/catalog/categories")).json()
    assert categories[0] == {"key": "rebar", "name_zh": "钢筋与连接", "name_en": "rebar"}
    assert len(categories) == 11


async def test_all_types_are_read_page_by_page(http: httpx.AsyncClient):
    codes: list[str] = []
    answer = await http.get("/catalog/types", params={"limit": 20})
    while True:
        codes += [each["code"] for each in answer.json()]
        if "next" not in answer.links:
            break
        answer = await http.get(answer.links["next"]["url"])
    assert codes == sorted(definitions())


@pytest.mark.parametrize(
    ("params", "codes"),
    [
        ({"category": "door_window"}, {"DW-ALW", "DW-FIRE", "DW-GLASS", "DW-PVW", "DW-WOOD"}),
        ({"name": "钢筋桁架"}, {"RB-TRUSS", "ST-DECK"}),
        ({"name": "CABLE tray"}, {"ME-TRAY"}),
        ({"name": "%"}, set()),
        ({"code": "IfcBeam.BEAM"}, {"ST-H", "ST-SEC", "ST-FAB", "PC-BEAM"}),
        ({"code": "rb-hrb"}, {"RB-HRB"}),
        ({"code": "IfcReinforcingMesh"}, {"RB-MESH"}),
        ({"code": "nothing"}, set()),
        ({"supply_mode": "rental"}, {"FS-ALU", "FS-TUBE", "FS-DISC", "FS-CLAMP"}),
    ],
)
async def test_types_are_filtered(http: httpx.AsyncClient, params, codes):
    assert {each["code"] for each in (await http.get("/catalog/types", params=params)).json()} == codes


async def test_a_type_says_all_it_allows(http: httpx.AsyncClient):
    bar = (await http.get("/catalog/types/rb-hrb")).json()
    assert (bar["code"], bar["version"], bar["base_unit"]) == ("RB-HRB", 1, "t")
    assert bar["identity"] == ["grade", "diameter", "length"]
    diameter = next(each for each in bar["properties"] if each["key"] == "diameter")
    assert diameter == {
        "key": "diameter", "name_zh": "公称直径", "name_en": "nominal diameter", "kind": "enum", "unit": "mm",
        "allowed": ["6", "8", "10", "12", "14", "16", "18", "20", "22", "25", "28", "32", "36", "40", "50"],
        "minimum": None, "maximum": None, "identity": True, "required": True,
        "definition_zh": None, "definition_en": None, "property_set": None, "retired": {}, "deprecated": None,
    }  # fmt: skip
    assert bar["units"][0] == {
        "unit": "piece", "base_per_unit": None, "formula": "kg_per_m[diameter] * length_m / 1000", "only": {},
        "note": "theoretical weight 理计",
    }  # fmt: skip
    assert bar["standards"][0]["number"] == "GB 1499.2-2024"
    assert bar["carbon"]["typical"] == "2340"
    assert bar["carbon"]["source"].startswith("GB/T 51366-2019")
    assert {(each["system"], each["code"]) for each in bar["codes"]} >= {
        ("DOUGONG", "RB-HRB"), ("IFC", "IfcReinforcingBar.NOTDEFINED"), ("IFC", "IfcReinforcingBar.MAIN"),
        ("GB/T 50851", "01"),
    }  # fmt: skip
    assert bar["lead_time_days"] == {"min": 1, "max": 7}
    assert "mill test certificate 质量证明书" in bar["receipt_documents"]
    assert bar["vat"] == {"general_rate_pct": "13", "simple_levy_3pct_possible": False}


async def test_every_type_can_be_read(http: httpx.AsyncClient):
    for code in definitions():
        answer = await http.get(f"/catalog/types/{code}")
        assert (answer.status_code, answer.json()["code"]) == (200, code)


async def test_every_code_of_every_type_finds_it(http: httpx.AsyncClient):
    for code in sorted(definitions())[::6]:
        for each in (await http.get(f"/catalog/types/{code}")).json()["codes"]:
            params = {"code": each["code"].lower(), "system": each["system"]}
            found = (await http.get("/catalog/codes", params=params)).json()
            assert code in {one["type_code"] for one in found}, each


async def test_a_code_of_one_edition_says_so(http: httpx.AsyncClient):
    found = (await http.get("/catalog/codes", params={"code": "IfcMechanicalFastener.COUPLER"})).json()
    assert {(each["type_code"], each["edition"], each["relation"]) for each in found} == {
        ("RB-COUPLER", "IFC4X3", "also"), ("RB-SLEEVE", "IFC4X3", "also"),
    }  # fmt: skip
    assert (await http.get("/catalog/codes", params={"code": "0%"})).json() == []


async def test_carbon_factors_come_with_their_sources(http: httpx.AsyncClient):
    answer = await http.get("/catalog/carbon-factors", params={"limit": 2})
    assert [each["type_code"] for each in answer.json()] == ["CN-AGG", "CN-CEM"]
    assert all(each["source"] for each in answer.json())
    second = (await http.get(answer.links["next"]["url"])).json()
    assert second[0]["type_code"] == "CN-GROUT"
    (one,) = (await http.get("/catalog/carbon-factors", params={"type": "ST-PLATE"})).json()
    assert (one["unit"], one["typical"]) == ("t", "2400")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/catalog/types/XX-NONE", 404, "TypeNotFound"),
        ("/catalog/types/%00", 404, "TypeNotFound"),
        ("/catalog/types/RB-HRB?version=7", 404, "TypeNotFound"),
        ("/catalog/types/RB-HRB?version=0", 422, "MalformedRequest"),
        ("/catalog/types/RB-HRB?version=99999999999", 422, "MalformedRequest"),
        ("/catalog/types?category=wood", 422, "UnknownCategory"),
        ("/catalog/types?limit=0", 422, "MalformedRequest"),
        ("/catalog/types?limit=201", 422, "MalformedRequest"),
        ("/catalog/types?cursor=nonsense", 422, "CursorInvalid"),
        ("/catalog/types?supply_mode=gift", 422, "MalformedRequest"),
        ("/catalog/types?name=%00", 422, "MalformedRequest"),
        ("/catalog/codes", 422, "MalformedRequest"),
        ("/catalog/codes?code=x&system=ISBN", 422, "UnknownCodeSystem"),
        ("/catalog/nothing", 404, "NoSuchRoute"),
    ],
)
async def test_what_is_not_there_is_told_clearly(http: httpx.AsyncClient, path, status, code):
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_description_names_every_route_with_its_errors(database: Database, verifier: TokenVerifier):
    app = create_app(Settings(database_url="", system_database_url=""), database=database, verifier=verifier)
    described: dict[str, Any] = app.openapi()
    assert described["openapi"].startswith("3.1")
    routes = {
        (method, path): route
        for path, methods in described["paths"].items()
        for method, route in methods.items()
        if path.startswith("/catalog")
    }
    assert {
        ("post", "/catalog/variants"), ("post", "/catalog/variants/resolve"), ("get", "/catalog/variants/{key}"),
        ("post", "/catalog/convert"), ("get", "/catalog/search"), ("post", "/catalog/match"),
        ("get", "/catalog/types"), ("get", "/catalog/types/{code}"), ("get", "/catalog/categories"),
        ("get", "/catalog/units"), ("get", "/catalog/codes"), ("get", "/catalog/carbon-factors"),
        ("post", "/catalog/codes"), ("post", "/catalog/codes/imports"), ("get", "/catalog/code-systems"),
        ("post", "/catalog/dictionary/proposals"), ("get", "/catalog/dictionary/diff"),
        ("post", "/catalog/dictionaries/imports"), ("post", "/catalog/dictionaries/{dictionary_id}/links"),
        ("get", "/catalog/types/{code}/diff"), ("get", "/catalog/types/{code}/property-sets"),
        ("get", "/catalog/specifications/{spec_hash}"),
    } <= routes.keys()  # fmt: skip
    for name, route in routes.items():
        assert route["summary"], name
        if name[1].startswith(("/catalog/feed", "/catalog/operations")):
            continue
        problems = route["responses"]["422"]["content"]["application/problem+json"]["examples"]
        assert "MalformedRequest" in problems, name
    use = routes["post", "/catalog/variants"]["responses"]["422"]["content"]["application/problem+json"]["examples"]
    assert {"UnknownProperty", "ValueNotAllowed", "MissingIdentityProperty", "NotAnIdentityProperty"} <= use.keys()


async def test_the_service_says_it_lives(http: httpx.AsyncClient):
    assert (await http.get("/health/live")).json() == {"status": "live"}
    assert (await http.get("/health/ready")).json() == {"status": "ready"}
