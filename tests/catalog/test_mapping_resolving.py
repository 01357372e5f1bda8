"""What a company's codes mean, for services whose documents hold them."""

from typing import Any

from shared.clients.catalog import CatalogClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.identity import Role, Scope
from shared.ids import new_id
from tests.catalog.mapping_world import BAR, BAR_ROW, Mapping, csv_file
from tests.conftest import a_person, a_service, signed_in, token_for


def catalog_of(mapping: Mapping) -> CatalogClient:
    token = FixedToken(token_for(a_service(Scope.VARIANTS_RESOLVE)))
    return CatalogClient(ServiceClient("catalog", mapping.http, token))


async def meanings(mapping: Mapping, *codes: str, **who: Any) -> dict[str, list[str]]:
    given = {"company_id": mapping.company, "group_id": None, **who}
    found = await catalog_of(mapping).meanings(codes=list(codes), **given)
    return {code: [each.variant_key for each in means] for code, means in found.items()}


async def test_mapped_codes_are_found_whatever_their_case_and_others_left_out(mapping: Mapping):
    job = await mapping.published(csv_file(BAR_ROW))
    assert await meanings(mapping, "A-001", "a-001", "A-002") == {"A-001": [BAR], "a-001": [BAR]}
    (means,) = (await catalog_of(mapping).meanings(company_id=mapping.company, group_id=None, codes=["A-001"]))["A-001"]
    assert (means.version, means.part, means.category, means.relation) == (1, 1, "rebar", "exact")
    await mapping.post(f"/mapping-jobs/{job['id']}/rollback", {})
    assert await meanings(mapping, "A-001") == {}


async def test_a_groups_codes_are_found_by_its_companies_and_by_nobody_else(mapping: Mapping):
    await mapping.published(csv_file(BAR_ROW), for_group="true")
    group = mapping.importer.group_id
    assert await meanings(mapping, "A-001", company_id=new_id(), group_id=group) == {"A-001": [BAR]}
    assert await meanings(mapping, "A-001", company_id=new_id(), group_id=new_id()) == {}
    assert await meanings(mapping, "A-001", company_id=new_id()) == {}


async def test_only_services_ask(mapping: Mapping):
    body = {"company_id": str(mapping.company), "codes": ["A-001"]}
    for caller in (a_person(Role.BUYER), a_person(Role.OPERATOR), a_service(Scope.FEED_READ)):
        answer = await mapping.http.post("/catalog/mappings/resolve", json=body, headers=signed_in(caller))
        assert answer.status_code == 403
