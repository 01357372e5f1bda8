"""The OpenAPI description: every route says what it does and what may be refused."""

from shared.clients.members import MembersClient
from shared.clients.transport import FixedToken, ServiceClient
from shared.identity import Scope
from tests.conftest import a_service, token_for
from tests.members.conftest import PASSWORD, CreateApp, World


def test_every_route_has_a_summary_a_description_and_its_refusals(create_members: CreateApp):
    description = create_members().openapi()
    assert description["openapi"].startswith("3.1")
    ours = {path: item for path, item in description["paths"].items() if path.startswith("/members/")}
    for path, item in ours.items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert "429" in operation["responses"] or "403" in operation["responses"], (method, path)
            if "/operations/" not in path:
                assert operation["description"], (method, path)
    refusals = ours["/members/companies"]["post"]["responses"]["409"]["content"]["application/problem+json"]
    assert "CompanyAlreadyRegistered" in refusals["examples"]
    token = ours["/members/token"]["post"]
    assert "application/x-www-form-urlencoded" in token["requestBody"]["content"]


async def test_the_typed_client_reads_companies_and_signs_people_in(world: World):
    company = await world.company("supplier")
    _, email = await world.person(company, "supplier_sales")
    service = ServiceClient("members", world.http, FixedToken(token_for(a_service(Scope.COMPANIES_READ))))
    identity = await MembersClient(service).company(company_id=company)
    assert (identity.id, identity.kinds) == (company, ["supplier"])
    people = MembersClient(ServiceClient("members", world.http, None))
    signed = await people.sign_in(email=email, password=PASSWORD)
    assert signed.company.id == company
    refreshed = await people.refresh(refresh_token=signed.refresh_token)
    assert refreshed.person_id == signed.person_id
